# shellcheck shell=bash disable=SC2034 # the steps that source it use them
# Mirror {{mirror|line}}: connections and names. Every step reads this file; edit it here.
#
# No password is in this folder, and none belongs in it. The programs take them from ~/.pgpass or
# PGPASSFILE (host:port:dbname:user:password, mode 0600), from the section of a service file, or from
# PGPASSWORD for as long as one step runs.

# Peer {{source|line}}, and peer {{target|line}}, as this machine reaches them.
SOURCE_CONN={{source_conn|sh}}
TARGET_CONN={{target_conn|sh}}
{{#continuous}}

# As the other server reaches them: for the subscription on the target and the one that leads back. These
# servers look for passwords in their own .pgpass. Where you have no access to that, as with most providers, set
# SOURCE_PASSWORD and TARGET_PASSWORD in the environment of 05-load.sh and 09-cutover.sh.
SOURCE_FROM_TARGET={{source_far|sh}}
TARGET_FROM_SOURCE={{target_far|sh}}

# Made by 05-load.sh on the source and on the target, and by 09-cutover.sh the other way round.
PUBLICATION={{publication|sh}}
SUBSCRIPTION={{publication|sh}}
{{#reverse}}
REVERSE={{reverse_name|sh}}
# yes: from the cutover on the old source follows the new one, so that going back loses nothing.
REVERSE_WANTED=yes
{{/reverse}}
# Seconds until a wait for the last changes gives up. Nothing is lost then: the step can be run again.
DRAIN_TIMEOUT=600
{{/continuous}}

# database: all objects are made on the target; tables: those of the chosen tables; none: they are there.
SCHEMA={{schema|sh}}
# keep: objects have the owners of the source; map: by OWNER_MAP (role, new role, ...); none: whoever restores.
OWNERS={{owners|sh}}
OWNER_MAP=({{owner_map|raw}})
# Publications of the source are made on the target as well: yes or no.
SOURCE_PUBLICATIONS={{publications|sh}}
# Rows that the target's tables have before the load: refuse, truncate or append.
ON_EXISTING_ROWS={{existing|sh}}

# Sessions that dump, restore and compare at the same time, and the memory of each that builds an index.
JOBS={{jobs|sh}}
MAINTENANCE_WORK_MEM={{maintenance_work_mem|sh}}
# How far 08-sequences.sh sets a sequence ahead of the source's: in steps of its increment.
SEQUENCE_MARGIN={{margin|sh}}
# yes: the freeze also takes CONNECT away from the application's roles. Their sessions end in any case.
FREEZE_CONNECT=yes

# Where the steps keep dumps, lists and marks of what is done. It needs room for the dumps.
WORK="$HERE/work"
# psql, pg_dump and pg_restore, at least as new as both servers.
{{#bindir}}
PATH={{bindir|sh}}:"$PATH"
{{/bindir}}
{{^bindir}}
# PATH=/usr/lib/postgresql/17/bin:"$PATH"
{{/bindir}}
