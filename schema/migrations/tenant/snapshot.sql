-- The schema after all migrations of this folder, for new databases. Written by `make snapshot`.
-- Made from 19be2d9f4001c3d5cf06069d3fcb10444f42588dc5df3163ba96251b4bc6345c.

CREATE TABLE `cars` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `brand` varchar(100) DEFAULT NULL,
  `model` varchar(255) DEFAULT NULL,
  `year` int(11) DEFAULT NULL,
  `year_model` int(11) DEFAULT NULL,
  `price` decimal(12,2) DEFAULT NULL,
  `mileage` int(11) DEFAULT NULL,
  `color` varchar(50) DEFAULT NULL,
  `fuel_type` varchar(50) DEFAULT NULL,
  `transmission` varchar(50) DEFAULT NULL,
  `description` text DEFAULT NULL,
  `status` enum('available','reserved','sold') DEFAULT 'available',
  `created_at` timestamp NULL DEFAULT current_timestamp(),
  `updated_at` timestamp NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  PRIMARY KEY (`id`),
  KEY `idx_status` (`status`),
  KEY `idx_brand_model` (`brand`,`model`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `customers` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `phone` varchar(20) DEFAULT NULL,
  `name` varchar(255) DEFAULT NULL,
  `email` varchar(255) DEFAULT NULL,
  `cpf` varchar(14) DEFAULT NULL,
  `notes` text DEFAULT NULL,
  `created_at` timestamp NULL DEFAULT current_timestamp(),
  `updated_at` timestamp NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  `aceita_marketing` tinyint(1) DEFAULT NULL COMMENT 'the buyer''s own switch; NULL: never used',
  `aceita_marketing_em` datetime(3) DEFAULT NULL COMMENT 'when he used it (UTC)',
  PRIMARY KEY (`id`),
  UNIQUE KEY `phone` (`phone`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `customer_identities` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `customer_id` int(11) NOT NULL,
  `gateway` varchar(20) NOT NULL,
  `tipo` enum('user_id','address','former_phone') NOT NULL,
  `valor` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `criado_em` timestamp NULL DEFAULT current_timestamp(),
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_identity` (`gateway`,`tipo`,`valor`),
  KEY `idx_identity_customer` (`customer_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `estoque_ausentes` (
  `car_id` int(11) NOT NULL COMMENT 'sold only because a complete file did not list it; for sale again when one does',
  `em` datetime(3) NOT NULL COMMENT 'UTC',
  PRIMARY KEY (`car_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `estoque_chaves` (
  `tipo` varchar(10) NOT NULL COMMENT 'codigo, chassi',
  `valor` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'of a chassi a digest, never itself; plates are never stored',
  `car_id` int(11) NOT NULL,
  PRIMARY KEY (`tipo`,`valor`),
  KEY `idx_car` (`car_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `estoque_importacoes` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `origem` varchar(255) NOT NULL COMMENT 'file name, or address without user and query',
  `sha256` char(64) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL COMMENT 'of the file; empty when there was none',
  `resultado` varchar(20) NOT NULL COMMENT 'importado, recusado',
  `motivo` varchar(1000) DEFAULT NULL COMMENT 'why it was refused, for the dealer',
  `novos` int(11) NOT NULL DEFAULT 0,
  `alterados` int(11) NOT NULL DEFAULT 0,
  `iguais` int(11) NOT NULL DEFAULT 0,
  `vendidos` int(11) NOT NULL DEFAULT 0,
  `recusados` int(11) NOT NULL DEFAULT 0,
  `em` datetime(3) NOT NULL COMMENT 'UTC',
  PRIMARY KEY (`id`),
  KEY `idx_em` (`em`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `historico_status` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `conversation_id` int(11) NOT NULL,
  `de` varchar(20) NOT NULL,
  `para` varchar(20) NOT NULL COMMENT 'values of conversations.status',
  `quem` varchar(20) NOT NULL COMMENT 'lucas, pessoa (in the table, a panel say), sistema',
  `porque` varchar(255) NOT NULL COMMENT 'in words for a seller',
  `turno` int(11) DEFAULT NULL COMMENT 'of lucas: the turn that moved it',
  `em` datetime(3) NOT NULL COMMENT 'UTC; of a pessoa: when it was noticed',
  PRIMARY KEY (`id`),
  KEY `idx_conversation` (`conversation_id`,`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `lucas_ajustes` (
  `nome` varchar(40) NOT NULL COMMENT 'a setting, see docs/lucas.md; without a row its default holds',
  `valor` text DEFAULT NULL,
  `atualizado_em` timestamp NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  PRIMARY KEY (`nome`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `lucas_lembretes` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `agendamento_id` int(11) NOT NULL,
  `tipo` varchar(20) NOT NULL COMMENT 'vespera, duas_horas, carro_indisponivel',
  `data_agendada` datetime NOT NULL COMMENT 'the appointment that it speaks of: a moved one has reminders of its own',
  `mensagem_id` int(11) DEFAULT NULL COMMENT 'the reply; null: the buyer is told nothing, resultado says why',
  `resultado` varchar(40) NOT NULL,
  `ate` datetime(3) NOT NULL COMMENT 'later it is not sent any more (UTC)',
  `criado_em` datetime(3) NOT NULL COMMENT 'UTC',
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_lembrete` (`agendamento_id`,`tipo`,`data_agendada`),
  KEY `idx_mensagem` (`mensagem_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `_agendamentos_apagados` (
  `mes` date NOT NULL COMMENT 'its first day',
  `tipo` varchar(20) NOT NULL,
  `status` varchar(20) NOT NULL,
  `total` int(11) NOT NULL,
  PRIMARY KEY (`mes`,`tipo`,`status`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='counts of erased appointments';

CREATE TABLE `_apagadas` (
  `digest` char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'keyed, of channel and external_id',
  `apagada_em` datetime(3) NOT NULL COMMENT 'UTC',
  PRIMARY KEY (`digest`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `_early_changes` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `canal_id` int(11) NOT NULL,
  `external_id` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `evento` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL CHECK (json_valid(`evento`)),
  `chegou_em` datetime(3) NOT NULL COMMENT 'UTC',
  PRIMARY KEY (`id`),
  KEY `idx_message` (`canal_id`,`external_id`),
  KEY `idx_chegou_em` (`chegou_em`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `_leases` (
  `nome` varchar(20) NOT NULL COMMENT 'drain or deliver',
  `epoca` bigint(20) NOT NULL COMMENT 'the newest lease that wrote here; an older one may not write',
  PRIMARY KEY (`nome`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `_merges` (
  `tipo` enum('customer','conversation') NOT NULL,
  `antigo_id` bigint(20) NOT NULL COMMENT 'the id that went',
  `novo_id` bigint(20) NOT NULL COMMENT 'the id that stands for it, never itself one that went',
  `dados` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'the row that went, as it was' CHECK (json_valid(`dados`)),
  `unido_em` datetime(3) NOT NULL COMMENT 'UTC',
  PRIMARY KEY (`tipo`,`antigo_id`),
  KEY `idx_novo` (`tipo`,`novo_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `_tenant` (
  `empresa_id` int(11) NOT NULL COMMENT 'whose database this is; one row',
  `criado_em` timestamp NULL DEFAULT current_timestamp(),
  PRIMARY KEY (`empresa_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `agendamentos` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `customer_id` int(11) NOT NULL,
  `car_id` int(11) DEFAULT NULL,
  `tipo` enum('test_drive','visita','entrega') NOT NULL,
  `data_agendada` datetime NOT NULL,
  `status` enum('pendente','confirmado','realizado','cancelado') DEFAULT 'pendente',
  `observacoes` text DEFAULT NULL,
  `created_at` timestamp NULL DEFAULT current_timestamp(),
  `marcado_em` datetime(3) DEFAULT NULL COMMENT 'when Lucas agreed on its present time (UTC); null: created_at counts',
  PRIMARY KEY (`id`),
  KEY `customer_id` (`customer_id`),
  KEY `car_id` (`car_id`),
  KEY `idx_data` (`data_agendada`),
  KEY `idx_status` (`status`),
  CONSTRAINT `agendamentos_ibfk_1` FOREIGN KEY (`customer_id`) REFERENCES `customers` (`id`),
  CONSTRAINT `agendamentos_ibfk_2` FOREIGN KEY (`car_id`) REFERENCES `cars` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `car_images` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `car_id` int(11) NOT NULL,
  `url` varchar(500) DEFAULT NULL,
  `ordem` int(11) DEFAULT 0,
  `is_principal` tinyint(1) DEFAULT 0,
  PRIMARY KEY (`id`),
  KEY `car_id` (`car_id`),
  CONSTRAINT `car_images_ibfk_1` FOREIGN KEY (`car_id`) REFERENCES `cars` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `conversations` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `customer_id` int(11) NOT NULL,
  `status` enum('novo','em_andamento','negociando','fechado','perdido') DEFAULT 'novo',
  `last_message` text DEFAULT NULL,
  `last_interaction` timestamp NULL DEFAULT current_timestamp(),
  `created_at` timestamp NULL DEFAULT current_timestamp(),
  `estado` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL COMMENT 'what Lucas remembers' CHECK (json_valid(`estado`)),
  `turno` int(11) NOT NULL DEFAULT 0 COMMENT 'number of the last turn',
  `turno_anterior` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL COMMENT 'state before the last turn, to take it anew' CHECK (json_valid(`turno_anterior`)),
  `sem_resposta_desde` datetime(3) DEFAULT NULL COMMENT 'arrival of the first unanswered message (UTC)',
  `responder_em` datetime(3) DEFAULT NULL COMMENT 'when the next turn is due (UTC)',
  `canal_id` int(11) DEFAULT NULL COMMENT 'the channel that an answer takes',
  `endereco` varchar(255) DEFAULT NULL COMMENT 'the address that an answer goes to',
  `bot_pausado_ate` datetime DEFAULT NULL COMMENT 'Lucas is silent until then (UTC)',
  `bot_pausado_por` varchar(40) DEFAULT NULL,
  `atencao` varchar(255) DEFAULT NULL COMMENT 'why a person must look',
  `atencao_em` datetime(3) DEFAULT NULL COMMENT 'since when (UTC)',
  `resumo` text DEFAULT NULL COMMENT 'five lines for the seller who takes the talk up',
  `chamado_por` varchar(40) DEFAULT NULL COMMENT 'why Lucas called a person: human, buy, offer, ...',
  `chamado_em` datetime(3) DEFAULT NULL COMMENT 'when he last did (UTC)',
  `sem_avisos` tinyint(1) NOT NULL DEFAULT 0 COMMENT 'the buyer wants nothing that he did not ask for: no reminders',
  `status_anotado` varchar(20) DEFAULT NULL COMMENT 'the status that historico_status ends with; null: nothing noted yet',
  `ritmo_em` datetime(3) DEFAULT NULL COMMENT 'when all turns so far would have been taken at an even pace (UTC)',
  PRIMARY KEY (`id`),
  KEY `idx_customer` (`customer_id`),
  KEY `idx_status` (`status`),
  KEY `idx_responder_em` (`responder_em`),
  KEY `idx_status_anotado` (`status_anotado`,`status`),
  CONSTRAINT `conversations_ibfk_1` FOREIGN KEY (`customer_id`) REFERENCES `customers` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `mensagens` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `conversation_id` int(11) NOT NULL,
  `customer_id` int(11) NOT NULL,
  `tipo` enum('recebida','enviada') NOT NULL,
  `conteudo` text DEFAULT NULL,
  `timestamp` timestamp NULL DEFAULT current_timestamp(),
  `external_id` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL,
  `canal_id` int(11) DEFAULT NULL,
  `autor` enum('comprador','lucas','vendedor') DEFAULT NULL,
  `status` enum('pendente','enviando','enviada','entregue','lida','falhou','cancelada') DEFAULT NULL,
  `tipo_conteudo` varchar(20) DEFAULT NULL COMMENT 'text, image, audio, ...',
  `midia` varchar(2000) DEFAULT NULL COMMENT 'media id or address',
  `citada` varchar(255) DEFAULT NULL COMMENT 'external_id of the quoted message',
  `endereco` varchar(255) DEFAULT NULL COMMENT 'the address that a reply goes to',
  `turno` int(11) DEFAULT NULL COMMENT 'the turn that answers this message, or that this reply is of',
  `fatos` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL COMMENT 'what a reply states: car, price, status' CHECK (json_valid(`fatos`)),
  `decisao` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL COMMENT 'why: understood, considered, rule, times' CHECK (json_valid(`decisao`)),
  `erro` text DEFAULT NULL,
  `tentativas` int(11) NOT NULL DEFAULT 0,
  `tentar_em` datetime(3) DEFAULT NULL COMMENT 'not before then (UTC)',
  `recebida_em` datetime(3) DEFAULT NULL COMMENT 'when the inbox took it (UTC)',
  `gravada_em` datetime(3) DEFAULT NULL COMMENT 'when it was stored or decided (UTC)',
  `enviada_em` datetime(3) DEFAULT NULL COMMENT 'when the gateway took it (UTC)',
  `detalhes` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL COMMENT 'options, place, template, file name, what was tapped' CHECK (json_valid(`detalhes`)),
  `transcricao` text DEFAULT NULL COMMENT 'what an audio says, as a machine heard it',
  `midia_em` datetime(3) DEFAULT NULL COMMENT 'when its file is to be fetched (UTC); null: nothing to do',
  `midia_tentativas` int(11) NOT NULL DEFAULT 0,
  `midia_hash` char(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL COMMENT 'SHA-256 of the file, hex',
  `midia_tipo` varchar(100) DEFAULT NULL COMMENT 'MIME type by the first bytes, not by what was claimed',
  `midia_bytes` bigint(20) DEFAULT NULL,
  `midia_onde` varchar(255) DEFAULT NULL COMMENT 'key in the media store',
  `midia_erro` text DEFAULT NULL COMMENT 'why there is no file, or no transcript',
  `apagada_em` datetime(3) DEFAULT NULL COMMENT 'its sender deleted it (UTC)',
  `editada_em` datetime(3) DEFAULT NULL COMMENT 'when its last text was written (UTC)',
  `versoes` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL COMMENT 'its earlier texts, oldest first' CHECK (json_valid(`versoes`)),
  `origem` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL COMMENT 'what brought the buyer: an ad, or a portal''s lead' CHECK (json_valid(`origem`)),
  `incertas` int(11) NOT NULL DEFAULT 0 COMMENT 'sends of it whose result is unknown',
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_external_id` (`canal_id`,`external_id`),
  KEY `customer_id` (`customer_id`),
  KEY `idx_conversation` (`conversation_id`),
  KEY `idx_timestamp` (`timestamp`),
  KEY `idx_turno` (`conversation_id`,`turno`),
  KEY `idx_envio` (`status`,`id`),
  KEY `idx_midia_em` (`midia_em`),
  CONSTRAINT `mensagens_ibfk_1` FOREIGN KEY (`conversation_id`) REFERENCES `conversations` (`id`),
  CONSTRAINT `mensagens_ibfk_2` FOREIGN KEY (`customer_id`) REFERENCES `customers` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
