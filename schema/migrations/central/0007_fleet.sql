-- Runs of `helix migrate` over all dealers, and what became of each dealer in them.
-- For display and for going on after a stop; what a database has is known by its own `_migrations`.

-- unless column empresas.canario
ALTER TABLE empresas ADD COLUMN canario BOOLEAN NOT NULL DEFAULT 0 COMMENT 'migrated before all others';

-- unless table migracao_execucao
CREATE TABLE migracao_execucao (
    id INT AUTO_INCREMENT PRIMARY KEY,
    versao INT NOT NULL COMMENT 'the version that dealers are brought to',
    estado ENUM('executando','feito','parado') NOT NULL,
    motivo TEXT NULL COMMENT 'why it stopped',
    executor VARCHAR(190) NOT NULL COMMENT 'who runs it: user@host:process',
    iniciada_em DATETIME(3) NOT NULL COMMENT 'UTC',
    terminada_em DATETIME(3) NULL COMMENT 'UTC; NULL: under way, or killed'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- unless table migracao_empresa
CREATE TABLE migracao_empresa (
    execucao_id INT NOT NULL,
    empresa_id INT NOT NULL,
    onda VARCHAR(20) NOT NULL COMMENT 'canary, first, tenth, rest or single',
    versao INT NULL COMMENT 'the version that its database has now',
    estado ENUM('pendente','executando','feito','falhou','pulado') NOT NULL,
    passos INT NOT NULL DEFAULT 0 COMMENT 'steps that were applied',
    tentativas INT NOT NULL DEFAULT 0,
    duracao_ms INT NULL,
    erro TEXT NULL,
    PRIMARY KEY (execucao_id, empresa_id),
    KEY idx_execucao_estado (execucao_id, estado)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
