-- Asks each sequence, and writes the statement that sets the other side's.
SELECT format('SELECT format(%L, greatest(%s, least(%s, last_value::numeric + %s)), is_called) FROM %I.%I',
	replace(format('SELECT setval(%L::regclass, ', other), '%', '%%') || '%s, %L);',
	seqmin, seqmax, step::numeric * :margin, nspname, relname)
  FROM sequence ORDER BY shown
\gexec
