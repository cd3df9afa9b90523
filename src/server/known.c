// SPDX-License-Identifier: PostgreSQL
#include "known.h"

#include <fnmatch.h>
#include <string.h>

#define APPLICATION(name, severity, harm, meaning) \
	{ name, GROUP_APPLICATION, SEVERITY_##severity, HARM_##harm, meaning }
#define PERFORMANCE(name, meaning) { name, GROUP_PERFORMANCE, SEVERITY_NOTE, HARM_ANY, meaning }
#define DURABILITY(name, severity, harm, meaning) \
	{ name, GROUP_DURABILITY, SEVERITY_##severity, HARM_##harm, meaning }

static const struct setting_known table[] = {
	/* What an application sees. */
	APPLICATION("standard_conforming_strings", BLOCKER, ANY,
		"a backslash in an ordinary string literal is read as itself on one side and as an escape "
		"on the other"),
	APPLICATION("DateStyle", BLOCKER, ANY,
		"dates are written another way, and 01/02/2026 is read as another day"),
	APPLICATION("TimeZone", BLOCKER, ANY,
		"timestamps without a zone become other moments, and now()::date changes at another hour"),
	APPLICATION("search_path", BLOCKER, ANY,
		"names without a schema are looked up elsewhere: other tables and functions, or none"),
	APPLICATION("default_transaction_read_only", BLOCKER, ON,
		"every transaction that does not ask for more is refused its writes"),
	APPLICATION("transform_null_equals", BLOCKER, ANY,
		"x = NULL finds rows on one side and never on the other"),
	APPLICATION("default_transaction_isolation", WARNING, ANY,
		"transactions see each other's changes differently, or fail where they went through"),
	APPLICATION("shared_preload_libraries", WARNING, ANY,
		"extensions that must be loaded when the server starts do nothing without it, and their "
		"settings are unknown"),
	APPLICATION("session_preload_libraries", WARNING, ANY,
		"every session loads other libraries: auditing, auto_explain and the like"),
	APPLICATION("local_preload_libraries", WARNING, ANY, "every session loads other libraries"),
	APPLICATION("max_connections", WARNING, LESS,
		"connection pools that fitted the source are refused when the target is full"),
	APPLICATION("superuser_reserved_connections", NOTE, ANY,
		"another share of max_connections is kept from applications"),
	APPLICATION("max_prepared_transactions", WARNING, LESS,
		"PREPARE TRANSACTION is refused; two-phase commit of an application server needs it"),
	APPLICATION("max_locks_per_transaction", WARNING, LESS,
		"transactions over many tables or partitions, pg_dump among them, may run out of shared "
		"memory for locks"),
	APPLICATION("lc_numeric", WARNING, ANY,
		"to_char() and to_number() use another decimal point and grouping"),
	APPLICATION("lc_monetary", WARNING, ANY,
		"values of type money are read and written with another currency"),
	APPLICATION("lc_time", WARNING, ANY, "to_char() names days and months in another language"),
	APPLICATION("lc_messages", WARNING, ANY,
		"errors come in another language, which breaks whoever reads their text instead of their "
		"code"),
	APPLICATION("default_text_search_config", WARNING, ANY,
		"full text search without a configuration splits and stems words by another language"),
	APPLICATION("IntervalStyle", WARNING, ANY,
		"intervals are written another way, which a parser may not follow"),
	APPLICATION("bytea_output", WARNING, ANY,
		"bytea arrives in another text form, which an old driver does not decode"),
	APPLICATION("extra_float_digits", WARNING, ANY,
		"floating-point numbers are written with more or fewer digits"),
	APPLICATION("client_encoding", WARNING, ANY,
		"clients that do not say which encoding they speak get their text in another one"),
	APPLICATION("row_security", WARNING, ANY,
		"row security policies filter on one side and are an error on the other"),
	APPLICATION("backslash_quote", WARNING, ANY,
		"\\' inside a literal is accepted on one side only"),
	APPLICATION("quote_all_identifiers", WARNING, ANY,
		"definitions that the server prints quote their names differently"),
	APPLICATION("array_nulls", WARNING, ANY,
		"NULL inside an array literal is a null on one side and a word on the other"),
	APPLICATION("xmloption", WARNING, ANY,
		"xml without a keyword is taken as a document on one side, as content on the other"),
	APPLICATION("xmlbinary", WARNING, ANY, "binary data inside xml is written in another encoding"),
	APPLICATION("lo_compat_privileges", WARNING, ANY,
		"privileges of large objects are checked on one side only"),
	APPLICATION("statement_timeout", WARNING, ANY,
		"statements are cancelled sooner or later than the application is used to"),
	APPLICATION("transaction_timeout", WARNING, ANY, "long transactions are ended sooner or later"),
	APPLICATION("lock_timeout", WARNING, ANY, "waiting for a lock fails sooner or later"),
	APPLICATION("idle_in_transaction_session_timeout", WARNING, ANY,
		"sessions that rest inside a transaction are thrown out on one side"),
	APPLICATION("idle_session_timeout", WARNING, ANY,
		"pooled connections that rest are thrown out on one side"),
	APPLICATION("deadlock_timeout", NOTE, ANY, "deadlocks are found sooner or later"),
	APPLICATION("password_encryption", WARNING, ANY,
		"new passwords are stored in another form, which a driver without SCRAM may not be able "
		"to use"),
	APPLICATION("ssl", WARNING, OFF, "clients that insist on TLS can not connect"),
	APPLICATION("ssl_min_protocol_version", WARNING, ANY,
		"clients with an old TLS are turned away on one side"),
	APPLICATION("track_activity_query_size", NOTE, ANY,
		"long statements are cut at another length in pg_stat_activity"),
	APPLICATION("temp_file_limit", WARNING, ANY,
		"large sorts and hashes fail at another size of temporary files"),
	APPLICATION("default_table_access_method", WARNING, ANY,
		"new tables are stored by another access method"),
	APPLICATION("default_tablespace", WARNING, ANY, "new tables go to another tablespace"),
	APPLICATION("temp_tablespaces", NOTE, ANY, "temporary files go to another tablespace"),
	APPLICATION("event_triggers", WARNING, OFF, "event triggers do not fire"),
	APPLICATION("allow_alter_system", NOTE, OFF,
		"ALTER SYSTEM is refused: settings have to go to the configuration file"),
	APPLICATION("max_identifier_length", WARNING, LESS, "longer names are cut"),
	APPLICATION("max_function_args", WARNING, LESS,
		"functions with more arguments can not be made"),
	APPLICATION("max_index_keys", WARNING, LESS, "indexes over more columns can not be made"),
	APPLICATION("integer_datetimes", WARNING, ANY,
		"timestamps are kept in another form: binary transfer is not possible"),

	/* How long it takes. */
	PERFORMANCE("shared_buffers",
		"the server's own cache has another size; a share of the machine's memory"),
	PERFORMANCE("effective_cache_size",
		"the planner believes in more or less cached data, and prefers indexes accordingly"),
	PERFORMANCE("work_mem",
		"sorts and hashes go to disk at another size, each of a query for itself"),
	PERFORMANCE("hash_mem_multiplier", "hashes may use another multiple of work_mem"),
	PERFORMANCE("maintenance_work_mem", "index builds and VACUUM have another amount of memory"),
	PERFORMANCE("autovacuum",
		"without it tables bloat, statistics grow old and the server at last stops for wraparound"),
	PERFORMANCE("autovacuum_max_workers", "another number of tables is vacuumed at once"),
	PERFORMANCE("autovacuum_naptime", "tables are looked at for vacuum more or less often"),
	PERFORMANCE("autovacuum_vacuum_scale_factor",
		"tables are vacuumed after another share of changed rows"),
	PERFORMANCE("autovacuum_analyze_scale_factor",
		"statistics are renewed after another share of changed rows"),
	PERFORMANCE("autovacuum_vacuum_threshold",
		"small tables are vacuumed after another number of changed rows"),
	PERFORMANCE("autovacuum_analyze_threshold",
		"statistics of small tables are renewed after another number of changes"),
	PERFORMANCE("autovacuum_vacuum_insert_scale_factor",
		"tables that only grow are vacuumed after another share of new rows"),
	PERFORMANCE("autovacuum_vacuum_cost_delay",
		"autovacuum rests for longer or shorter between its steps"),
	PERFORMANCE("autovacuum_vacuum_cost_limit", "autovacuum does more or less between its rests"),
	PERFORMANCE("autovacuum_freeze_max_age", "vacuum against wraparound is forced at another age"),
	PERFORMANCE("autovacuum_work_mem", "each autovacuum worker has another amount of memory"),
	PERFORMANCE("random_page_cost",
		"the planner weighs index scans differently; about 1.1 for SSDs, 4 for disks"),
	PERFORMANCE("seq_page_cost", "the planner weighs sequential scans differently"),
	PERFORMANCE("cpu_tuple_cost", "the planner weighs rows against pages differently"),
	PERFORMANCE("effective_io_concurrency", "bitmap scans read ahead further or less far"),
	PERFORMANCE("maintenance_io_concurrency", "vacuum and the like read ahead further or less far"),
	PERFORMANCE("jit",
		"expensive queries are compiled on one side only, which costs many short ones more than "
		"it gives"),
	PERFORMANCE("jit_above_cost", "queries are compiled from another cost on"),
	PERFORMANCE("max_worker_processes",
		"another number of processes is there for parallel queries, replication and extensions"),
	PERFORMANCE("max_parallel_workers",
		"all parallel queries together get another number of workers"),
	PERFORMANCE("max_parallel_workers_per_gather",
		"one query gets another number of parallel workers"),
	PERFORMANCE("max_parallel_maintenance_workers",
		"one index build gets another number of parallel workers"),
	PERFORMANCE("default_statistics_target",
		"ANALYZE keeps more or less detail, on which plans depend"),
	PERFORMANCE("plan_cache_mode", "prepared statements keep or change their plans"),
	PERFORMANCE("from_collapse_limit", "subqueries are joined up to another number of tables"),
	PERFORMANCE("join_collapse_limit",
		"explicit joins are reordered up to another number of tables"),
	PERFORMANCE("geqo_threshold", "the genetic optimizer takes over at another number of tables"),
	PERFORMANCE("constraint_exclusion",
		"tables are left out of a scan by their checks in other cases"),
	PERFORMANCE("temp_buffers", "a session has another cache for temporary tables"),
	PERFORMANCE("huge_pages", "shared memory uses huge pages on one side"),
	PERFORMANCE("io_method", "reads are handed to the system another way"),
	PERFORMANCE("max_wal_size",
		"checkpoints come after another amount of WAL, which also is the disk space it takes"),
	PERFORMANCE("min_wal_size", "more or less WAL is kept for use again"),
	PERFORMANCE("checkpoint_timeout",
		"checkpoints come in another rhythm, and recovery takes longer or shorter"),
	PERFORMANCE("checkpoint_completion_target", "checkpoints spread their writes differently"),
	PERFORMANCE("wal_buffers", "another amount of WAL waits in memory"),
	PERFORMANCE("wal_compression", "pages in the WAL are compressed on one side"),
	PERFORMANCE("track_io_timing", "I/O times are measured on one side only"),

	/* What is left after a crash, and what others get. */
	DURABILITY("fsync", WARNING, OFF, "a crash of the machine may destroy the whole database"),
	DURABILITY("full_page_writes", WARNING, OFF,
		"a crash in the middle of a page's write can not be repaired"),
	DURABILITY("synchronous_commit", WARNING, ANY,
		"what a COMMIT promises is not the same: the last transactions may be lost in a crash, or "
		"a standby is waited for"),
	DURABILITY("synchronous_standby_names", WARNING, ANY,
		"commits wait for other standbys, or for none"),
	DURABILITY("data_checksums", WARNING, OFF,
		"damaged pages are read without being noticed; it is chosen when the cluster is made"),
	DURABILITY("ignore_checksum_failure", WARNING, ON,
		"damaged pages are read as if they were sound"),
	DURABILITY("zero_damaged_pages", WARNING, ON, "damaged pages become empty ones"),
	DURABILITY("track_counts", WARNING, OFF, "autovacuum sees no changes and does nothing"),
	DURABILITY("wal_level", NOTE, LESS,
		"less detail goes to the WAL: logical replication, standbys and archives "
		"need theirs"),
	DURABILITY("archive_mode", WARNING, OFF,
		"the source archives its WAL, by a command of its own machine; without, no recovery to a "
		"point in time"),
	DURABILITY("archive_library", NOTE, ANY, "the WAL is archived by another library"),
	DURABILITY("archive_timeout", NOTE, ANY,
		"a quiet server hands its WAL to the archive sooner or later"),
	DURABILITY("max_wal_senders", NOTE, LESS,
		"fewer standbys, backups and mirrors may stream at once"),
	DURABILITY("max_replication_slots", NOTE, LESS, "fewer standbys and mirrors may keep a slot"),
	DURABILITY("max_slot_wal_keep_size", NOTE, ANY,
		"a slot that nobody reads fills the disk when there is no limit, and is lost when it "
		"passes one"),
	DURABILITY("idle_replication_slot_timeout", NOTE, ANY,
		"slots that nobody reads are given up after another time"),
	DURABILITY("wal_keep_size", NOTE, ANY, "more or less WAL is kept for standbys without a slot"),
	DURABILITY("wal_sender_timeout", NOTE, ANY,
		"a replication that does not answer is cut off sooner or later"),
	DURABILITY("wal_receiver_timeout", NOTE, ANY, "a standby gives its primary up sooner or later"),
	DURABILITY("max_logical_replication_workers", NOTE, LESS,
		"fewer subscriptions can work at once"),
	DURABILITY("logical_decoding_work_mem", NOTE, ANY,
		"decoding goes to disk at another size of a transaction"),
	DURABILITY("hot_standby", NOTE, ANY, "standbys answer queries on one side only"),
	DURABILITY("hot_standby_feedback", NOTE, ANY,
		"queries on standbys hold back vacuum on one side only"),
	DURABILITY("track_commit_timestamp", NOTE, OFF,
		"the time of a commit can not be asked for; conflict resolution may need it"),
	DURABILITY("wal_log_hints", NOTE, OFF, "pg_rewind may not be possible"),
	DURABILITY("wal_segment_size", NOTE, ANY,
		"files of WAL have another size: archives and standbys of the other do not fit"),
	DURABILITY("block_size", NOTE, ANY,
		"pages have another size: no physical replication, and the longest index entry differs"),
	DURABILITY("wal_block_size", NOTE, ANY,
		"pages of WAL have another size: no physical replication"),
	DURABILITY("segment_size", NOTE, ANY,
		"tables are cut into files of another size: no physical replication"),
};

#define GONE(name, severity, meaning) { name, SEVERITY_##severity, meaning }

static const struct setting_gone gone[] = {
	GONE("default_with_oids", WARNING, "since 12 no table has OIDs of its own"),
	GONE("sql_inheritance", WARNING, "since 10 a query of a parent always includes its children"),
	GONE("db_user_namespace", WARNING, "since 17 a role can not belong to one database"),
	GONE("ssl_renegotiation_limit", NOTE, "TLS sessions are no longer renegotiated"),
	GONE("checkpoint_segments", NOTE, "since 9.5 it is max_wal_size, about 3 times 16MB a segment"),
	GONE("wal_keep_segments", NOTE, "since 13 wal_keep_size has taken its place, 16MB a segment"),
	GONE("vacuum_defer_cleanup_age", NOTE, "since 16 hot_standby_feedback or a slot has to do"),
	GONE("old_snapshot_threshold", NOTE, "since 17 old snapshots hold back vacuum while they live"),
	GONE("force_parallel_mode", NOTE, "since 16 it is called debug_parallel_query"),
	GONE("operator_precedence_warning", NOTE, "since 14 nobody warns of precedences that changed"),
	GONE("replacement_sort_tuples", NOTE, "since 11 all sorts are done one way"),
	GONE("vacuum_cleanup_index_scale_factor", NOTE, "since 14 vacuum decides by itself"),
	GONE("promote_trigger_file", NOTE, "since 16 a standby is promoted by pg_promote()"),
	GONE("stats_temp_directory", NOTE, "since 15 statistics are kept in shared memory"),
	GONE("ssl_ecdh_curve", NOTE, "since 18 it is called ssl_groups"),
	GONE("trace_recovery_messages", OK, "since 17 log_min_messages has to do"),
	GONE("composite_type_mismatch", OK, NULL),
};

/* Text from some of these holds secrets: they are not even shown. */
static const char *const local[] = {
	"application_name", "transaction_*", "is_superuser", "in_hot_standby", "session_authorization",
	"session_replication_role", "role", "seed", "server_version*", "server_encoding", "lc_collate",
	"lc_ctype", "config_file", "data_directory*", "hba_file", "ident_file", "external_pid_file",
	"port", "listen_addresses", "unix_socket_*", "cluster_name", "event_source", "bonjour*",
	"ssl_*_file", "ssl_crl_dir", "ssl_library", "ssl_passphrase_*", "krb_server_keyfile",
	"log_directory", "log_filename", "log_file_mode", "syslog_*", "primary_*", "recovery_target*",
	"recovery_end_command", "restore_command", "archive_command", "archive_cleanup_command",
	"wal_sync_method", "standby_mode", "trigger_file", "dynamic_shared_memory_type",
	"shared_memory_*", "dynamic_library_path", "extension_destdir", "extension_control_path",
	"num_os_semaphores", "huge_pages_status", "max_stack_depth", "debug_*", "jit_provider",
	"timezone_abbreviations", "update_process_title",
};
static const char *const providers[] = {
	"rds.*", "apg_*", "aurora*", "azure.*", "cloudsql.*", "google_*", "alloydb*", "neon.*",
	"supautils.*", "supabase*", "polar_*", "tencentdb_*",
};

static const char *const elsewhere[] = {
	"*_preload_libraries", "archive_*", "synchronous_standby_names", "synchronized_standby_slots",
	"default_tablespace", "temp_tablespaces", "default_table_access_method", "ssl", "ssl_*",
	"oauth_validator_libraries",
};

static bool matches(const char *const *patterns, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (fnmatch(patterns[i], name, 0) == 0)
			return true;
	return false;
}

const struct setting_known *setting_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

const struct setting_gone *setting_gone(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		if (strcmp(gone[i].name, name) == 0)
			return &gone[i];
	return NULL;
}

/* transaction_timeout is known by itself: the pattern is about the running transaction. */
bool setting_is_local(const char *name)
{
	return !setting_known(name) && matches(local, ARRAY_SIZE(local), name);
}

bool setting_points_elsewhere(const char *name)
{
	return matches(elsewhere, ARRAY_SIZE(elsewhere), name);
}

bool setting_is_providers(const char *name)
{
	return matches(providers, ARRAY_SIZE(providers), name);
}

const char *setting_group_name(enum setting_group g)
{
	static const char *const names[] = {
		"application setting", "performance setting", "durability setting", "other setting",
	};
	return names[g];
}
