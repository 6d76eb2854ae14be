"""Hears that a buyer asks for what he has booked. Called by `context` and `rules.visits`."""

from __future__ import annotations

import re

_BOOKED = re.compile(
    r"\b(?:que (?:horas?|dia)|qual (?:e )?(?:o )?(?:dia|horario|hora)|quando)\b.{0,30}\b(?:ficou|"
    r"marquei|marcou|marcamos|marcad[oa]|agendad[oa]|agendei|combinamos|(?:minha|meu) (?:visita|"
    r"horario|test|agendamento))\b"
    r"|\bmarcad[oa]\b.{0,15}\b(?:que|qual) (?:horas?|dia|horario)\b"
    r"|\bconfirma (?:pra mim |ai |por favor |de novo )*(?:o |a )?(?:\w+ e (?:o |a )?)?(?:horario|"
    r"hora|dia|visita|agendamento)\b"
    r"|\bque (?:horas?|dia)\b.{0,20}\b(?:era|e) mesmo\b|\b(?:minha visita|meu (?:horario|"
    r"agendamento|test ?drive)) (?:esta|ficou|e|continua)\b"
    r"|\b(?:esta|continua|ficou) (?:tudo )?(?:marcad[oa]|confirmad[oa]|agendad[oa])\b"
)
_WHEN = (
    r"(?:que (?:horas?|dia)|qual (?:e )?(?:o )?(?:dia|horario|hora)|(?:o|a) (?:dia|horario|hora)|"
    r"quando|(?:qual|que) carro|qual (?:mesmo|deles|delas))"
)
_MADE = (
    r"(?:fic(?:ou|amos)|anot(?:ou|ado|aram)|marquei|marcou|marcamos|marcad[oa]|agendei|agendou|agendamos|agendad[oa]|"
    r"combin(?:amos|ei|ou|ado)|reserv(?:ei|ado)|(?:minha|meu|a|nossa|o) (?:visita|test ?drive|test|"
    r"agendamento))"
)
_OF_HIS = re.compile(
    rf"\b{_WHEN}\b.{{0,30}}\b{_MADE}\b|\b{_MADE}\b.{{0,25}}\b{_WHEN}\b|"
    r"^(?:e |mas |entao )?(?:e )?(?:pra )?(?:quando|que (?:horas?|dia)) (?:e |era )?mesmo$|"
    r"\b(?:qual|que) carro\b.{0,15}\b(?:vou|vamos|ia|irei) (?:ver|testar|visitar|andar|olhar)\b|"
    r"^(?:e |mas |entao )?(?:e |era |ficou )?pra (?:ver )?(?:qual|que)(?: carro)?(?: mesmo)?$"
)
"""`ficou pra que dia?`, `tava marcado que horas?`: with an appointment of his nothing else."""
_CHANGES = re.compile(
    r"\b(?:remarc\w+|reagend\w+|mud\w+|troc\w+|outr[oa]|adi\w+|antecip\w+|cancel\w+|desmarc\w+|"
    r"passar?|livres?|vag[oa]s?|disponive\w+)\b"
)


def asks_what_is_booked(flat: str, *, has_one: bool = False) -> bool:
    """`Que horas ficou mesmo?`; of who has an appointment in any order of the words."""
    if _BOOKED.search(flat):
        return True
    return has_one and bool(_OF_HIS.search(flat)) and not _CHANGES.search(flat)
