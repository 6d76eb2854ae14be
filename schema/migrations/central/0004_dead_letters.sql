-- What people did to dead letters: written when an action begins, completed when it ends.

-- unless table acoes_dead_letters
CREATE TABLE acoes_dead_letters (
    id INT AUTO_INCREMENT PRIMARY KEY,
    quem VARCHAR(190) NOT NULL,
    acao VARCHAR(20) NOT NULL COMMENT 'replay, discard, show_personal',
    filtro TEXT NOT NULL COMMENT 'which letters, as the person asked for them',
    motivo TEXT NULL COMMENT 'why they were discarded',
    encontradas INT NOT NULL COMMENT 'letters that the filter found',
    contagens TEXT NULL COMMENT 'JSON: outcome -> letters',
    interrompida BOOLEAN NOT NULL DEFAULT 0,
    iniciada_em DATETIME(3) NOT NULL COMMENT 'UTC',
    terminada_em DATETIME(3) NULL COMMENT 'UTC; NULL: under way, or killed'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
