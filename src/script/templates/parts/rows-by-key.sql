-- Keys of the chosen tables that have rows on the target.
SELECT format('SELECT %L WHERE EXISTS (SELECT 1 FROM ONLY %I.%I)', key, nspname, relname)
  FROM here WHERE relkind = 'r' ORDER BY key
\gexec
