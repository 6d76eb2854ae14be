-- What is done to a dealer as a whole (backup, restore, move, deletion), step by step; the keys of the backups; what is kept of earlier databases.

-- unless table operacoes_empresa
CREATE TABLE operacoes_empresa (
    id INT AUTO_INCREMENT PRIMARY KEY,
    empresa_id INT NOT NULL,
    tipo VARCHAR(20) NOT NULL COMMENT 'backup, restore, move, delete',
    estado ENUM('aberta','feita','desistida') NOT NULL DEFAULT 'aberta',
    segura BOOLEAN NOT NULL DEFAULT 0 COMMENT 'the dealer is paused by it: nobody else may resume him',
    pedido TEXT NOT NULL COMMENT 'JSON: what was asked for',
    erro VARCHAR(500) NULL COMMENT 'why it was given up',
    resultado MEDIUMTEXT NULL COMMENT 'JSON; of a deletion, its certificate',
    resultado_sha256 CHAR(64) CHARACTER SET ascii NULL,
    iniciada_em DATETIME(3) NOT NULL COMMENT 'UTC',
    terminada_em DATETIME(3) NULL COMMENT 'UTC',
    KEY idx_operacao_empresa (empresa_id, estado)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- unless table passos_operacao
CREATE TABLE passos_operacao (
    operacao_id INT NOT NULL,
    passo VARCHAR(40) NOT NULL,
    fatos MEDIUMTEXT NOT NULL COMMENT 'JSON: what later steps need of it',
    terminado_em DATETIME(3) NOT NULL COMMENT 'UTC',
    PRIMARY KEY (operacao_id, passo)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- unless table chaves_empresa
CREATE TABLE chaves_empresa (
    empresa_id INT NOT NULL PRIMARY KEY,
    chave VARCHAR(512) NULL COMMENT 'encrypted; opens the backups. NULL: destroyed, and so are they',
    criada_em DATETIME(3) NOT NULL COMMENT 'UTC',
    destruida_em DATETIME(3) NULL COMMENT 'UTC'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- unless table bancos_guardados
CREATE TABLE bancos_guardados (
    id INT AUTO_INCREMENT PRIMARY KEY,
    empresa_id INT NOT NULL,
    operacao_id INT NOT NULL COMMENT 'the move or restore that left it',
    db_host VARCHAR(255) NOT NULL,
    db_port INT NOT NULL,
    db_name VARCHAR(100) NOT NULL,
    db_user VARCHAR(100) NOT NULL,
    guardado_em DATETIME(3) NOT NULL COMMENT 'UTC',
    apagado_em DATETIME(3) NULL COMMENT 'UTC; NULL: it is still there',
    UNIQUE KEY uq_guardado (operacao_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- One statement, so that the guard stands for all of it. The row of a deleted dealer stays: his id is never used again.
-- unless column empresas.excluida_em
ALTER TABLE empresas
    MODIFY COLUMN status
        ENUM('provisionando','ativo','suspenso','pausado','excluido') NOT NULL DEFAULT 'ativo',
    ADD COLUMN excluida_em DATETIME(3) NULL COMMENT 'UTC; NULL: it is not deleted';
