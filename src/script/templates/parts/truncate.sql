-- All in one statement, because of foreign keys between them.
SELECT 'TRUNCATE TABLE ' || string_agg(format('ONLY %I.%I', nspname, relname), ', ') FROM here WHERE relkind = 'r'
\gexec
