"""What a person's export says, as a page to read. Made for `worker.lgpd.export`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

Row = Mapping[str, object]

_TITLES = {
    "customers": "Cadastro",
    "customer_identities": "Identificações no WhatsApp",
    "conversations": "Conversas",
    "mensagens": "Mensagens",
    "agendamentos": "Agendamentos",
    "lucas_lembretes": "Lembretes",
    "historico_status": "Histórico das conversas",
    "_merges": "Cadastros unidos",
    "_early_changes": "Alterações que esperam pela sua mensagem",
}
_LABELS = {
    "id": "Número", "phone": "Telefone", "name": "Nome", "email": "E-mail", "cpf": "CPF",
    "notes": "Observações", "created_at": "Criado em", "updated_at": "Alterado em",
    "conteudo": "Texto", "transcricao": "Transcrição do áudio", "timestamp": "Quando (UTC)",
    "tipo": "Tipo", "autor": "Autor", "status": "Situação", "midia_onde": "Arquivo",
    "last_message": "Última mensagem", "last_interaction": "Último contato (UTC)",
    "data_agendada": "Data agendada", "observacoes": "Observações", "resumo": "Resumo",
    "estado": "O que o atendimento automático guardou", "decisao": "Por que foi respondido assim",
    "versoes": "Textos anteriores", "valor": "Identificação", "gateway": "Sistema",
    "endereco": "Endereço no WhatsApp", "customer_id": "Cadastro", "conversation_id": "Conversa",
    "tipo_conteudo": "Tipo de conteúdo", "evento": "Conteúdo", "onde": "Onde está",
    "motivo": "Motivo", "origem": "De onde veio o contato",
    "aceita_marketing": "Aceita publicidade",
}  # fmt: skip
_PAGE = """<!doctype html>
<html lang="pt-BR">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Seus dados pessoais – {dealer}</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em }}
article {{ border: 1px solid #ccc; border-radius: 6px; padding: .6em 1em; margin: .6em 0 }}
dt {{ font-weight: bold; float: left; clear: left; margin-right: .5em }}
dd {{ margin: 0; overflow-wrap: anywhere; white-space: pre-wrap }}
</style>
<h1>Seus dados pessoais</h1>
<p>Estes são todos os dados pessoais que <strong>{dealer}</strong> guarda sobre você no atendimento
pelo WhatsApp, em {when} (UTC), conforme o artigo 18 da Lei nº 13.709/2018 (LGPD). Os mesmos dados,
em formato aberto, estão no arquivo <a href="dados.json">dados.json</a>.</p>
{sections}
</html>
"""


def page_of(
    dealer: str,
    data: Mapping[str, Sequence[Row]],
    queued: Sequence[Row],
    files: Mapping[str, str],
    *,
    now: datetime,
) -> str:
    """HTML that needs nothing else. `files`: names beside the page, by key in the media store."""
    order = [name for name in _TITLES if name in data]
    sections = [_section(_TITLES[name], data[name], files) for name in order]
    sections.append(_section("Ainda não processado", queued, files))
    return _PAGE.format(
        dealer=escape(dealer),
        when=now.strftime("%d/%m/%Y %H:%M"),
        sections="\n".join(section for section in sections if section)
        or "<p>Não há nenhum dado seu.</p>",
    )


def _section(title: str, rows: Sequence[Row], files: Mapping[str, str]) -> str:
    if not rows:
        return ""
    articles = "\n".join(_article(row, files) for row in rows)
    return f"<h2>{escape(title)}</h2>\n{articles}"


def _article(row: Row, files: Mapping[str, str]) -> str:
    facts = "".join(
        f"<dt>{escape(_LABELS.get(name, name))}:</dt><dd>{_value(value, files)}</dd>"
        for name, value in row.items()
        if value not in (None, "")
    )
    return f"<article><dl>{facts}</dl></article>"


def _value(value: object, files: Mapping[str, str]) -> str:
    if isinstance(value, str) and value in files:
        return f'<a href="{escape(files[value])}">{escape(files[value])}</a>'
    return escape(str(value))
