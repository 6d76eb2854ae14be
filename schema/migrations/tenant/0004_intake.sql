-- What the drain notes of buyers and messages: who was found to be one person, what was edited or
-- deleted, what brought a buyer, what a person must look at.

-- unless table _merges
CREATE TABLE _merges (
    tipo ENUM('customer','conversation') NOT NULL,
    antigo_id BIGINT NOT NULL COMMENT 'the id that went',
    novo_id BIGINT NOT NULL COMMENT 'the id that stands for it, never itself one that went',
    dados JSON NOT NULL COMMENT 'the row that went, as it was',
    unido_em DATETIME(3) NOT NULL COMMENT 'UTC',
    PRIMARY KEY (tipo, antigo_id),
    KEY idx_novo (tipo, novo_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- An edit or a deletion may overtake its message.
-- unless table _early_changes
CREATE TABLE _early_changes (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    canal_id INT NOT NULL,
    external_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    evento JSON NOT NULL,
    chegou_em DATETIME(3) NOT NULL COMMENT 'UTC',
    KEY idx_message (canal_id, external_id),
    KEY idx_chegou_em (chegou_em)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- unless length customer_identities.tipo 12
ALTER TABLE customer_identities
    MODIFY COLUMN tipo ENUM('user_id','address','former_phone') NOT NULL;

-- unless columns customers
ALTER TABLE customers
    ADD COLUMN aceita_marketing BOOLEAN NULL COMMENT 'the buyer''s own switch; NULL: never used',
    ADD COLUMN aceita_marketing_em DATETIME(3) NULL COMMENT 'when he used it (UTC)';

-- unless columns conversations
ALTER TABLE conversations
    ADD COLUMN atencao VARCHAR(255) NULL COMMENT 'why a person must look',
    ADD COLUMN atencao_em DATETIME(3) NULL COMMENT 'since when (UTC)';

-- unless columns mensagens
ALTER TABLE mensagens
    ADD COLUMN apagada_em DATETIME(3) NULL COMMENT 'its sender deleted it (UTC)',
    ADD COLUMN editada_em DATETIME(3) NULL COMMENT 'when its last text was written (UTC)',
    ADD COLUMN versoes JSON NULL COMMENT 'its earlier texts, oldest first',
    ADD COLUMN origem JSON NULL COMMENT 'what brought the buyer: an ad, or a portal''s lead';
