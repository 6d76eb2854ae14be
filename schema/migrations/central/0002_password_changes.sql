-- Changes of a dealer's database password that are under way: the new one is stored, the old one still opens.

-- unless table trocas_senha
CREATE TABLE trocas_senha (
    empresa_id INT NOT NULL PRIMARY KEY,
    versao INT NOT NULL COMMENT 'empresas.versao that names the new password',
    ultima_conexao BIGINT UNSIGNED NOT NULL COMMENT 'connections of the server up to this id are older',
    criado_em TIMESTAMP DEFAULT CURRENT_TIMESTAMP
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
