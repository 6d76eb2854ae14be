-- What the engine adds to a dealer's database. New tables have no foreign keys to the template's:
-- an existing installation may have ids of another integer type, and a key would be refused.

-- unless table _tenant
CREATE TABLE _tenant (
    empresa_id INT NOT NULL PRIMARY KEY COMMENT 'whose database this is; one row',
    criado_em TIMESTAMP DEFAULT CURRENT_TIMESTAMP
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- unless table _leases
CREATE TABLE _leases (
    nome VARCHAR(20) NOT NULL PRIMARY KEY COMMENT 'drain or deliver',
    epoca BIGINT NOT NULL COMMENT 'the newest lease that wrote here; an older one may not write'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- unless table customer_identities
CREATE TABLE customer_identities (
    id INT AUTO_INCREMENT PRIMARY KEY,
    customer_id INT NOT NULL,
    gateway VARCHAR(20) NOT NULL,
    tipo ENUM('user_id','address') NOT NULL,
    valor VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    criado_em TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    UNIQUE KEY uq_identity (gateway, tipo, valor),
    KEY idx_identity_customer (customer_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- A lead may have no phone (a WhatsApp user name): its identities are its key.
-- unless nullable customers.phone
ALTER TABLE customers MODIFY COLUMN phone VARCHAR(20) NULL;

-- unless columns conversations
ALTER TABLE conversations
    ADD COLUMN estado JSON NULL COMMENT 'what Lucas remembers',
    ADD COLUMN turno INT NOT NULL DEFAULT 0 COMMENT 'number of the last turn',
    ADD COLUMN turno_anterior JSON NULL COMMENT 'state before the last turn, to take it anew',
    ADD COLUMN sem_resposta_desde DATETIME(3) NULL COMMENT 'arrival of the first unanswered message (UTC)',
    ADD COLUMN responder_em DATETIME(3) NULL COMMENT 'when the next turn is due (UTC)',
    ADD COLUMN canal_id INT NULL COMMENT 'the channel that an answer takes',
    ADD COLUMN endereco VARCHAR(255) NULL COMMENT 'the address that an answer goes to',
    ADD COLUMN bot_pausado_ate DATETIME NULL COMMENT 'Lucas is silent until then (UTC)',
    ADD COLUMN bot_pausado_por VARCHAR(40) NULL;

-- unless index conversations.idx_responder_em
ALTER TABLE conversations ADD INDEX idx_responder_em (responder_em);

-- Ids of gateways differ in case: a binary collation, or two messages would be one.
-- unless columns mensagens
ALTER TABLE mensagens
    ADD COLUMN external_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    ADD COLUMN canal_id INT NULL,
    ADD COLUMN autor ENUM('comprador','lucas','vendedor') NULL,
    ADD COLUMN status ENUM('pendente','enviando','enviada','entregue','lida','falhou','cancelada') NULL,
    ADD COLUMN tipo_conteudo VARCHAR(20) NULL COMMENT 'text, image, audio, ...',
    ADD COLUMN midia VARCHAR(2000) NULL COMMENT 'media id or address',
    ADD COLUMN citada VARCHAR(255) NULL COMMENT 'external_id of the quoted message',
    ADD COLUMN endereco VARCHAR(255) NULL COMMENT 'the address that a reply goes to',
    ADD COLUMN turno INT NULL COMMENT 'the turn that answers this message, or that this reply is of',
    ADD COLUMN fatos JSON NULL COMMENT 'what a reply states: car, price, status',
    ADD COLUMN decisao JSON NULL COMMENT 'why: understood, considered, rule, times',
    ADD COLUMN erro TEXT NULL,
    ADD COLUMN tentativas INT NOT NULL DEFAULT 0,
    ADD COLUMN tentar_em DATETIME(3) NULL COMMENT 'not before then (UTC)',
    ADD COLUMN recebida_em DATETIME(3) NULL COMMENT 'when the inbox took it (UTC)',
    ADD COLUMN gravada_em DATETIME(3) NULL COMMENT 'when it was stored or decided (UTC)',
    ADD COLUMN enviada_em DATETIME(3) NULL COMMENT 'when the gateway took it (UTC)';

-- unless index mensagens.uq_external_id
ALTER TABLE mensagens ADD UNIQUE INDEX uq_external_id (canal_id, external_id);

-- unless index mensagens.idx_turno
ALTER TABLE mensagens ADD INDEX idx_turno (conversation_id, turno);

-- unless index mensagens.idx_envio
ALTER TABLE mensagens ADD INDEX idx_envio (status, id);
