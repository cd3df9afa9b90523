-- Objects of the source by catalog and number: the chosen tables, those that are not chosen, what needs a column
-- that stays behind, and the keys by which a subscription finds rows. 1259 is pg_class, 2606 pg_constraint, 2615
-- pg_namespace, 6104 pg_publication.
, left_behind AS (
	SELECT d.classid, d.objid FROM here t
	  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = ANY (t.left_out)
	  JOIN pg_depend d ON d.refclassid = 1259 AND d.refobjid = t.oid AND d.refobjsubid = a.attnum
)
SELECT 'chosen 1259 ' || oid FROM here
UNION ALL
SELECT 'unchosen 1259 ' || c.oid FROM pg_class c
 WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND c.oid NOT IN (SELECT oid FROM here)
UNION ALL
SELECT 'unchosen 2615 ' || oid FROM pg_namespace WHERE nspname = 'pgpier'
UNION ALL
SELECT 'unchosen 6104 ' || oid FROM pg_publication WHERE pubname ~ '^(pgpier|runbook)_'
UNION ALL
SELECT 'unchosen ' || classid || ' ' || objid FROM left_behind
UNION ALL
SELECT 'unchosen 1259 ' || r.ev_class FROM left_behind b
  JOIN pg_rewrite r ON b.classid = 'pg_rewrite'::regclass AND r.oid = b.objid
UNION ALL
SELECT 'key 2606 ' || k.oid FROM here t
  JOIN pg_constraint k ON k.conrelid = t.oid
  JOIN pg_index i ON i.indexrelid = k.conindid
 WHERE k.contype = 'p' OR (i.indisreplident AND k.contype = 'u')
UNION ALL
SELECT 'key 1259 ' || i.indexrelid FROM here t JOIN pg_index i ON i.indrelid = t.oid AND i.indisreplident
 WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'));
