"""The pool part of the benchmark: our tenant pools, aiomysql's pool, a fresh connection per job."""
