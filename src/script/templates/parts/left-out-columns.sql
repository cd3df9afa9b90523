-- Columns that stay behind, parents' first.
SELECT format('ALTER TABLE %I.%I DROP COLUMN IF EXISTS %I', nspname, relname, c)
  FROM here, unnest(left_out) AS c ORDER BY relkind = 'r', nspname, relname, c
\gexec
