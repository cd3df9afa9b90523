-- The tables that pg_restore can fill: key and number.
SELECT key, oid FROM here
 WHERE relkind = 'r' AND left_out = '{}'
   AND (:'scope' <> 'none' OR NOT moves);
