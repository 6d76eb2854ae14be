-- What the import of a dealer's stock keeps: which car a line of his files means, and each run.

-- unless table estoque_chaves
CREATE TABLE estoque_chaves (
    tipo VARCHAR(10) NOT NULL COMMENT 'codigo, chassi',
    valor VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'of a chassi a digest, never itself; plates are never stored',
    car_id INT NOT NULL,
    PRIMARY KEY (tipo, valor),
    KEY idx_car (car_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- unless table estoque_ausentes
CREATE TABLE estoque_ausentes (
    car_id INT NOT NULL PRIMARY KEY COMMENT 'sold only because a complete file did not list it; for sale again when one does',
    em DATETIME(3) NOT NULL COMMENT 'UTC'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- unless table estoque_importacoes
CREATE TABLE estoque_importacoes (
    id INT AUTO_INCREMENT PRIMARY KEY,
    origem VARCHAR(255) NOT NULL COMMENT 'file name, or address without user and query',
    sha256 CHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'of the file; empty when there was none',
    resultado VARCHAR(20) NOT NULL COMMENT 'importado, recusado',
    motivo VARCHAR(1000) NULL COMMENT 'why it was refused, for the dealer',
    novos INT NOT NULL DEFAULT 0,
    alterados INT NOT NULL DEFAULT 0,
    iguais INT NOT NULL DEFAULT 0,
    vendidos INT NOT NULL DEFAULT 0,
    recusados INT NOT NULL DEFAULT 0,
    em DATETIME(3) NOT NULL COMMENT 'UTC',
    KEY idx_em (em)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
