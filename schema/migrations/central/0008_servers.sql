-- Database servers that `helix host setup` made ready, and the accounts that it made there.

-- unless table servidores
CREATE TABLE servidores (
    host VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    port INT NOT NULL,
    versao VARCHAR(100) NULL COMMENT 'of the server, as it says itself',
    preparado_em DATETIME(3) NULL COMMENT 'UTC; NULL: its set-up has not come to its end',
    PRIMARY KEY (host, port)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- unless table contas_servidor
CREATE TABLE contas_servidor (
    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    host VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    port INT NOT NULL,
    papel VARCHAR(20) NOT NULL COMMENT 'migrator, provisioner, backup',
    usuario VARCHAR(32) NOT NULL,
    senha VARCHAR(512) NOT NULL COMMENT 'encrypted',
    UNIQUE KEY uk_contas_servidor (host, port, papel)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
