-- Writes the chosen tables down by name.
SELECT 'WITH RECURSIVE chosen (schema, name, target_schema, target_name, left_out,
	old_columns, new_columns) AS (' || E'\n\tVALUES\n\t'
	|| string_agg(format('(%L::text, %L::text, %L::text, %L::text, %L::text[], %L::text[], %L::text[])', schema,
		name, target_schema, target_name, left_out, old_columns, new_columns), E',\n\t' ORDER BY schema, name) || E'\n)'
  FROM chosen;
