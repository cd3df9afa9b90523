-- Every object that pg_dump may list, with a name that is the same on both servers.
SELECT o.classid, o.objid, md5(i.type || ' ' || i.identity)
  FROM (SELECT classid, objid FROM pg_depend WHERE objid >= 16384 AND objsubid = 0
	UNION SELECT 'pg_namespace'::regclass, oid FROM pg_namespace WHERE oid >= 16384
	UNION SELECT 'pg_extension'::regclass, oid FROM pg_extension
	UNION SELECT 'pg_language'::regclass, oid FROM pg_language WHERE oid >= 16384
	UNION SELECT 'pg_publication'::regclass, oid FROM pg_publication
	UNION SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper
	UNION SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger) AS o,
	LATERAL pg_identify_object(o.classid, o.objid, 0) AS i
 WHERE i.identity IS NOT NULL;
