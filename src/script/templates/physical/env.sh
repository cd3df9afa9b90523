# shellcheck shell=bash disable=SC2034 # the steps that source it use them
# The copy of the whole server of peer {{source|line}}, file by file. Run these steps on the new machine as the
# account that shall run its server (postgres). Passwords: as in ../env.sh, in a line for database replication.

# The source's server as this machine reaches it. The role needs REPLICATION, and pg_hba.conf there a line
# "host replication ROLE ADDRESS scram-sha-256".
PRIMARY_CONN={{physical_conn|sh}}
# The slot that keeps WAL on the source until this machine has it.
PHYSICAL_SLOT={{physical_slot|sh}}

# Where the new server lives. The folder must not exist or be empty.
DATA_DIR=/var/lib/postgresql/data
STANDBY_PORT=5432
# Where tablespaces go when their folders differ: options like --tablespace-mapping=/old=/new
BASEBACKUP_OPTIONS=()
# What the server needs besides its data folder, such as -c config_file=/etc/postgresql/15/main/postgresql.conf
SERVER_OPTIONS=""
# initdb, pg_ctl and postgres of the source's major version.
{{#bindir}}
PATH={{bindir|sh}}:"$PATH"
{{/bindir}}
{{^bindir}}
{{#source_known}}
PATH=/usr/lib/postgresql/{{source_major|raw}}/bin:"$PATH"
{{/source_known}}
{{^source_known}}
# PATH=/usr/lib/postgresql/15/bin:"$PATH"
{{/source_known}}
{{/bindir}}
# Seconds until a wait gives up. Nothing is lost then: the step can be run again.
WAIT_TIMEOUT=600
