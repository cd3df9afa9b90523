-- Writes one statement for each table: rows, and sums of both halves of their hashes. A row is the text of its
-- columns by name in the source's order. Largest first, dealt out to :jobs sessions.
, columns AS (
	SELECT t.oid, string_agg(format('%I', CASE :'side_names' WHEN 'target' THEN
		coalesce(new_columns[array_position(old_columns, a.attname::text)], a.attname) ELSE a.attname END), ', '
		ORDER BY a.attnum) AS list
	  FROM here t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
	   AND a.attname <> ALL (t.left_out)
	 GROUP BY t.oid
), dealt AS (
	SELECT h.*, coalesce(list, '') AS list, row_number() OVER (ORDER BY relpages DESC, key) - 1 AS no
	  FROM here h LEFT JOIN columns USING (oid) WHERE relkind = 'r'
)
SELECT format('SELECT %L, count(*), coalesce(sum((''x'' || left(h, 16))::bit(64)::bigint), 0),'
	' coalesce(sum((''x'' || right(h, 16))::bit(64)::bigint), 0)'
	' FROM (SELECT md5(ROW(%s)::text) AS h FROM ONLY %I.%I) AS q;', shown, list,
	CASE :'side_names' WHEN 'target' THEN target_schema ELSE schema END,
	CASE :'side_names' WHEN 'target' THEN target_name ELSE name END)
  FROM dealt WHERE no % :jobs = :job ORDER BY no;
