"""The processes: webhook, inbox, arq jobs, delivery, command line. Knows all the other rooms."""
