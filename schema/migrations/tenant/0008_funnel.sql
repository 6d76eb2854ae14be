-- The history of a conversation's status: who moved it, when and why.

-- unless table historico_status
CREATE TABLE historico_status (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    conversation_id INT NOT NULL,
    de VARCHAR(20) NOT NULL,
    para VARCHAR(20) NOT NULL COMMENT 'values of conversations.status',
    quem VARCHAR(20) NOT NULL COMMENT 'lucas, pessoa (in the table, a panel say), sistema',
    porque VARCHAR(255) NOT NULL COMMENT 'in words for a seller',
    turno INT NULL COMMENT 'of lucas: the turn that moved it',
    em DATETIME(3) NOT NULL COMMENT 'UTC; of a pessoa: when it was noticed',
    KEY idx_conversation (conversation_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- unless column conversations.status_anotado
ALTER TABLE conversations ADD COLUMN status_anotado VARCHAR(20) NULL COMMENT 'the status that historico_status ends with; null: nothing noted yet';

-- Finds what a person moved without reading every row.
-- unless index conversations.idx_status_anotado
ALTER TABLE conversations ADD INDEX idx_status_anotado (status_anotado, status);
