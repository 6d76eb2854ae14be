-- What Lucas's hand-overs, his agenda and a dealer's own settings need.

-- unless columns conversations
ALTER TABLE conversations
    ADD COLUMN resumo TEXT NULL COMMENT 'five lines for the seller who takes the talk up',
    ADD COLUMN chamado_por VARCHAR(40) NULL COMMENT 'why Lucas called a person: human, buy, offer, ...',
    ADD COLUMN chamado_em DATETIME(3) NULL COMMENT 'when he last did (UTC)',
    ADD COLUMN sem_avisos TINYINT(1) NOT NULL DEFAULT 0 COMMENT 'the buyer wants nothing that he did not ask for: no reminders';

-- unless table lucas_ajustes
CREATE TABLE lucas_ajustes (
    nome VARCHAR(40) NOT NULL PRIMARY KEY COMMENT 'a setting, see docs/lucas.md; without a row its default holds',
    valor TEXT NULL,
    atualizado_em TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
