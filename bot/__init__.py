"""Lucas, the sales agent: reads Brazilian Portuguese, knows the stock, decides what to answer.

Decisions are pure: no clock, database or queue. `worker` hands in what he needs and stores what he
decides; `dealer_rows` reads a dealer's database for it, `chat` and `evaluate` are for people.
"""
