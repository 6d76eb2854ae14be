-- The registry of empresas and their channels. An existing `empresas` table keeps its columns and rows.

-- unless table empresas
CREATE TABLE empresas (
    id INT AUTO_INCREMENT PRIMARY KEY,
    nome VARCHAR(255) NOT NULL,
    endereco VARCHAR(255),
    telefone VARCHAR(20),
    bot_ativo BOOLEAN NOT NULL DEFAULT 1
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- unless column empresas.db_name
ALTER TABLE empresas ADD COLUMN db_name VARCHAR(100) NULL;

-- unless column empresas.db_host
ALTER TABLE empresas ADD COLUMN db_host VARCHAR(255) DEFAULT 'localhost';

-- unless column empresas.db_port
ALTER TABLE empresas ADD COLUMN db_port INT DEFAULT 3306;

-- unless column empresas.db_user
ALTER TABLE empresas ADD COLUMN db_user VARCHAR(100) NULL;

-- unless column empresas.db_password
ALTER TABLE empresas ADD COLUMN db_password VARCHAR(512) NULL;

-- An older installation has 255; an encrypted password of 80 characters needs more.
-- unless length empresas.db_password 512
ALTER TABLE empresas MODIFY COLUMN db_password VARCHAR(512) NULL;

-- unless column empresas.horario
ALTER TABLE empresas ADD COLUMN horario VARCHAR(255) NULL;

-- unless column empresas.versao
ALTER TABLE empresas ADD COLUMN versao INT NOT NULL DEFAULT 1;

-- unless column empresas.status
ALTER TABLE empresas ADD COLUMN status
    ENUM('provisionando','ativo','suspenso') NOT NULL DEFAULT 'ativo';

-- unless column empresas.bot_ativo
ALTER TABLE empresas ADD COLUMN bot_ativo BOOLEAN NOT NULL DEFAULT 1;

-- unless table canais
CREATE TABLE canais (
    id INT AUTO_INCREMENT PRIMARY KEY,
    empresa_id INT NOT NULL,
    tipo VARCHAR(20) NOT NULL COMMENT 'cloud_api, evolution, ...',
    identificador VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    webhook_token VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    credenciais TEXT NULL COMMENT 'encrypted JSON',
    ativo BOOLEAN NOT NULL DEFAULT 1,
    criado_em TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    UNIQUE KEY uq_canal (tipo, identificador),
    UNIQUE KEY uq_webhook_token (webhook_token),
    KEY idx_canal_empresa (empresa_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
