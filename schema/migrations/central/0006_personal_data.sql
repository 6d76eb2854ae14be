-- One person's data (LGPD, art. 18): who asked for what, what was erased, and how long data is kept.

-- Seals nothing: what is erased is remembered by a keyed digest. Without this key nobody can tell
-- whose, so it goes with its empresa.
-- unless table lgpd_chaves
CREATE TABLE lgpd_chaves (
    empresa_id INT NOT NULL PRIMARY KEY,
    chave VARCHAR(512) NOT NULL COMMENT 'encrypted',
    criada_em TIMESTAMP DEFAULT CURRENT_TIMESTAMP
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The list of erasures, which a restored backup goes through; without personal data.
-- unless table lgpd_pedidos
CREATE TABLE lgpd_pedidos (
    id INT AUTO_INCREMENT PRIMARY KEY,
    empresa_id INT NOT NULL,
    tipo ENUM('exportacao','eliminacao') NOT NULL,
    titular CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'keyed digest of the phone number',
    identidades JSON NULL COMMENT 'keyed digests of what else the person was known by',
    clientes JSON NULL COMMENT 'ids in customers that were the person''s',
    quem VARCHAR(190) NOT NULL,
    contagens JSON NULL COMMENT 'place -> what was found there',
    guardado JSON NULL COMMENT 'what is kept, and why (art. 16)',
    iniciado_em DATETIME(3) NOT NULL COMMENT 'UTC',
    apagado_em DATETIME(3) NULL COMMENT 'UTC: what a database has from then on is not concerned',
    terminado_em DATETIME(3) NULL COMMENT 'UTC; NULL: under way, or killed',
    KEY idx_titular (empresa_id, titular)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- unless table privacidade
CREATE TABLE privacidade (
    empresa_id INT NOT NULL PRIMARY KEY,
    guardar_agendamentos BOOLEAN NULL COMMENT 'counts of erased appointments are kept; NULL: the default',
    mensagens_dias INT NULL COMMENT 'NULL: the default; 0: kept without end',
    midia_dias INT NULL,
    dead_letters_dias INT NULL,
    decisoes_dias INT NULL,
    midia_ate DATETIME(3) NULL COMMENT 'older files are gone (UTC)',
    decisoes_ate DATETIME(3) NULL COMMENT 'older decisions are gone (UTC)'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
