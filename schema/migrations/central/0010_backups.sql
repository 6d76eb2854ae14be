-- Backups that are made by themselves: which there are, which were proved, and dealers with an hour of their own.

-- unless table copias
CREATE TABLE copias (
    empresa_id INT NOT NULL,
    nome VARCHAR(60) CHARACTER SET ascii NOT NULL COMMENT 'as in the store of backups',
    feita_em DATETIME(3) NOT NULL COMMENT 'UTC: as of when it holds the dealer',
    bytes BIGINT NOT NULL COMMENT 'of the sealed dump',
    verificada_em DATETIME(3) NULL COMMENT 'UTC: restored and compared; NULL: never',
    PRIMARY KEY (empresa_id, nome)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- unless table agenda_copias
CREATE TABLE agenda_copias (
    empresa_id INT NOT NULL PRIMARY KEY COMMENT 'no row: the hour of the settings',
    hora TINYINT NULL COMMENT 'by the clock of the dealers; NULL: never by itself'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
