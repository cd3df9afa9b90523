{{#resolved}}
-- The tables of mirror {{mirror|line}}, as the source had them on {{written|line}} UTC: where each is there, where it goes,
-- which of its columns stay behind, and which get another name there. Edit the list to choose others.
{{/resolved}}
{{^resolved}}
-- The tables of mirror {{mirror|line}} by its patterns, because the source could not be asked on {{written|line}} UTC. pgpier
-- script writes their names when it can reach the source.
{{/resolved}}
-- This is the beginning of a statement: the steps put a question behind it, with parts/here.sql between.
{{tables|raw}}
