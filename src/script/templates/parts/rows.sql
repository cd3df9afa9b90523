-- The chosen tables of the target that have rows.
SELECT format('SELECT %L WHERE EXISTS (SELECT 1 FROM ONLY %I.%I)', shown, nspname, relname)
  FROM here WHERE relkind = 'r' ORDER BY shown
\gexec
