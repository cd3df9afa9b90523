-- ready, none, or how far the first copies of a subscription are.
SELECT CASE WHEN count(*) = 0 THEN 'none' WHEN count(*) FILTER (WHERE srsubstate <> 'r') = 0 THEN 'ready'
	ELSE format('%s of %s tables copied', count(*) FILTER (WHERE srsubstate IN ('s', 'r')), count(*)) END
  FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid
 WHERE s.subname = :'name' AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database());
