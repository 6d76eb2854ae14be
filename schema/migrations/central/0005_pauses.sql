-- A dealer may be paused: what comes is kept, nothing is stored in his database nor sent.

-- One statement, so that the guard stands for all of it.
-- unless column empresas.pausada_em
ALTER TABLE empresas
    MODIFY COLUMN status
        ENUM('provisionando','ativo','suspenso','pausado') NOT NULL DEFAULT 'ativo',
    ADD COLUMN pausa_motivo VARCHAR(500) NULL COMMENT 'why it is paused, in words',
    ADD COLUMN pausada_em DATETIME(3) NULL COMMENT 'UTC; NULL: it is not paused';
