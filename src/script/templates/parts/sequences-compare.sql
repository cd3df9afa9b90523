-- Asks each sequence what it hands out next, and writes the question whether the other side's is behind that.
SELECT format('SELECT format(%L, last_value::numeric + CASE WHEN is_called THEN %s ELSE 0 END) FROM %I.%I',
	replace(format('SELECT %L || '': next is '' || last_value::numeric + CASE WHEN is_called THEN %s ELSE 0 END'
		' FROM %s WHERE (last_value::numeric + CASE WHEN is_called THEN %s ELSE 0 END - ',
		shown, step, other, step), '%', '%%') || format('%%s) * %s < 0;', sign(step)),
	step, nspname, relname)
  FROM sequence ORDER BY shown
\gexec
