// SPDX-License-Identifier: PostgreSQL
/* Every action of the console, once: keys, words and where it applies. Dispatch, hint bar, help, palette and
 * the man page come from this table. */
#ifndef PGPIER_UI_KEYS_H
#define PGPIER_UI_KEYS_H

#include <pgpier/base.h>

/* A key is the character it types, or one of these. */
enum key {
	KEY_NUL = 0,
	KEY_RETURN = '\r',
	KEY_TABULATOR = '\t',
	KEY_ESCAPE = 27,
	KEY_FIRST_NAMED = 0x200000,
	KEY_ARROW_UP = KEY_FIRST_NAMED,
	KEY_ARROW_DOWN,
	KEY_ARROW_LEFT,
	KEY_ARROW_RIGHT,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_TO_HOME,
	KEY_TO_END,
	KEY_BACK_TAB,
	KEY_RUBOUT,
	KEY_DELETE,
	KEY_FUNCTION_1,
};
#define KEY_CTRL(c) ((c) & 0x1F)

/* Where an action applies. A pane says which of these it is. */
enum context {
	IN_ANY = 1 << 0,
	IN_LIST = 1 << 1,
	IN_PEERS = 1 << 2,
	IN_PEER = 1 << 3,
	IN_MIRRORS = 1 << 4,
	IN_MIRROR = 1 << 5, /* also set where a mirror is chosen in a list */
	IN_LOAD = 1 << 6,
	IN_EVENTS = 1 << 7,
	IN_FORM = 1 << 8,
	IN_PICKER = 1 << 9,
	IN_STEP = 1 << 10, /* a page of the wizard after its first */
	IN_TEXT = 1 << 11,
	IN_TABS = 1 << 12,
	IN_COLUMNS = 1 << 13,
	IN_WIDE = 1 << 14,  /* has a detail beside its list */
	CHANGES = 1 << 15, /* not in a read-only console */
	IN_REPLICATION = 1 << 16,
	IN_COMPARE = 1 << 17,
	IN_SCHEMA = 1 << 18,
	IN_SIDES = 1 << 19, /* the difference of a mirror's two sides */
	IN_ROLES = 1 << 20,
	IN_VERIFY = 1 << 21,
	IN_DIFFERING = 1 << 22, /* the rows of a table that differ */
	IN_CUTOVER = 1 << 23,
};

/*  id            keys              label        help                                        contexts */
#define ACTIONS(X)                                                                                      \
	X(UP,           "up k",           "up",        "Move up",                                             \
		IN_LIST | IN_TEXT)                                                                                 \
	X(DOWN,         "down j",         "down",      "Move down",                                           \
		IN_LIST | IN_TEXT)                                                                                 \
	X(PAGE_UP,      "pgup ^u",        "page up",   "Move up one page",                                    \
		IN_LIST | IN_TEXT)                                                                                 \
	X(PAGE_DOWN,    "pgdn ^d",        "page down", "Move down one page",                                  \
		IN_LIST | IN_TEXT)                                                                                 \
	X(FIRST,        "g home",         "first",     "Move to the first line",                              \
		IN_LIST | IN_TEXT)                                                                                 \
	X(LAST,         "G end",          "last",      "Move to the last line",                               \
		IN_LIST | IN_TEXT)                                                                                 \
	X(OPEN,         "enter",          "open",      "Open what is selected, press the button",             \
		IN_LIST | IN_FORM | IN_STEP)                                                                       \
	X(NEW,          "n",              "new",       "Create a peer or a mirror",                           \
		IN_PEERS | IN_MIRRORS | CHANGES)                                                                   \
	X(EDIT,         "e",              "edit",      "Change the peer or mirror",                           \
		IN_PEERS | IN_PEER | IN_MIRROR | CHANGES)                                                          \
	X(DIFFERENCE,   "d",              "difference","Compare the definitions of both databases",          \
		IN_SCHEMA | IN_VERIFY)                                                                             \
	X(ROLES,        "o",              "roles",     "Compare the roles of both servers",                  \
		IN_SCHEMA | IN_VERIFY)                                                                             \
	X(APPLY,        "a",              "apply",     "Make on the target the roles that it lacks (asks first)",\
		IN_ROLES | CHANGES)                                                                                \
	X(DROP,         "d",              "drop",      "Drop the peer or mirror (asks first)",                \
		IN_PEERS | IN_MIRROR | CHANGES)                                                                    \
	X(TEST,         "t",              "test",      "Test the connection of the peer",                     \
		IN_PEERS | IN_PEER)                                                                                \
	X(PAUSE,        "p",              "pause/run", "Start, pause or resume the mirror",                   \
		IN_MIRROR | CHANGES)                                                                               \
	X(VERIFY,       "v",              "verify",    "Choose how to compare both sides, and begin",         \
		IN_VERIFY)                                                                                         \
	X(STOP,         "c",              "cancel",    "Stop the verification that is under way",             \
		IN_VERIFY)                                                                                         \
	X(REPAIR,       "r",              "repair",    "Copy the table's rows that differ anew (asks first)", \
		IN_VERIFY | IN_DIFFERING | CHANGES)                                                                \
	X(RETRY,        "r",              "retry",     "Try again what failed and the paused tables",          \
		IN_MIRROR | CHANGES)                                                                               \
	X(WORKERS_UP,   "+ =",            "worker",    "One more worker",                                     \
		IN_LOAD | CHANGES)                                                                                 \
	X(WORKERS_DOWN, "-",              "worker",    "One worker less",                                     \
		IN_LOAD | CHANGES)                                                                                 \
	X(BANDWIDTH,    "b",              "bandwidth", "Limit the rate of the initial load (MB/s, 0 = none)", \
		IN_LOAD | CHANGES)                                                                                 \
	X(PARALLEL,     "P",              "parallel",  "How many tables are copied at once",                  \
		IN_LOAD | CHANGES)                                                                                 \
	X(TOGGLE,       "space",          "choose",    "Choose or leave out; a schema: all its tables",       \
		IN_PICKER | IN_COLUMNS)                                                                            \
	X(ALL,          "a",              "all",       "Choose all that the filter shows",                    \
		IN_PICKER | IN_COLUMNS)                                                                            \
	X(NONE_OF,      "u",              "none",      "Leave out all that the filter shows",                 \
		IN_PICKER)                                                                                         \
	X(RANGE,        "v",              "range",     "Begin a range here; again: choose up to here",        \
		IN_PICKER)                                                                                         \
	X(MAP_SCHEMA,   "s",              "map schema", "Send the whole schema to another one on the target", \
		IN_PICKER)                                                                                         \
	X(RENAME,       "e",              "target",    "Name of the table on the target",                     \
		IN_COLUMNS)                                                                                        \
	X(RENAME_COLUMN, "r",             "rename",    "Name of the column on the target",                    \
		IN_COLUMNS)                                                                                        \
	X(CONTINUE,     "c ^s",           "continue",  "Go on to the next page",                              \
		IN_PICKER | IN_STEP)                                                                               \
	X(CHECK,        "R",              "check",     "Run the preflight again",                             \
		IN_STEP)                                                                                           \
	X(RESYNC,       "R",              "resync",    "Empty the table on the target and load it anew (asks)", \
		IN_REPLICATION | CHANGES)                                                                          \
	X(REHEARSE,     "t",              "rehearse",  "Rehearse the cutover: nobody is kept out",            \
		IN_CUTOVER | CHANGES)                                                                              \
	X(CUTOVER,      "c",              "cut over",  "Begin the cutover, or go on with it (asks)",          \
		IN_CUTOVER | CHANGES)                                                                              \
	X(GO,           "w",              "stopped",   "Say that the writers are stopped: it goes on",        \
		IN_CUTOVER | CHANGES)                                                                              \
	X(UNDO,         "u",              "undo",      "Undo the cutover, as long as that can be (asks)",     \
		IN_CUTOVER | CHANGES)                                                                              \
	X(ROLLBACK,     "b",              "roll back", "Move the application back to the source (asks)",      \
		IN_CUTOVER | CHANGES)                                                                              \
	X(FINISH,       "f",              "finish",    "End the way back, drop what pgpier made (asks)",      \
		IN_CUTOVER | CHANGES)                                                                              \
	X(SWITCH,       "v",              "steps",     "Show the steps, or the checklist",                    \
		IN_CUTOVER)                                                                                        \
	X(OTHER,        "o",              "other peer", "Choose the peer to compare with",                    \
		IN_COMPARE)                                                                                        \
	X(SWAP,         "s",              "swap",      "Compare the other way round",                         \
		IN_COMPARE)                                                                                        \
	X(REFRESH,      "R",              "refresh",   "Ask the server again",                                \
		IN_PEERS | IN_PEER | IN_MIRROR | IN_PICKER | IN_SIDES)                                             \
	X(FILTER,       "/",              "filter",    "Filter as you type; !text inverts; Esc clears",       \
		IN_LIST)                                                                                           \
	X(SORT_LEFT,    "<",              "sort",      "Sort by the column to the left",                      \
		IN_LIST)                                                                                           \
	X(SORT_RIGHT,   ">",              "sort",      "Sort by the column to the right",                     \
		IN_LIST)                                                                                           \
	X(FLIP,         "!",              "flip",      "Turn the order round",                                \
		IN_LIST)                                                                                           \
	X(FOLLOW,       "F",              "follow",    "Follow the newest events",                            \
		IN_EVENTS)                                                                                         \
	X(COPY,         "y",              "copy",      "Copy to the terminal's clipboard (OSC 52)",           \
		IN_LIST | IN_TEXT)                                                                                 \
	X(SAVE,         "^s",             "save",      "Save the events shown, or the report, to a file",     \
		IN_EVENTS | IN_VERIFY)                                                                             \
	X(NEXT,         "tab",            "next",      "Next tab or field",                                   \
		IN_FORM | IN_TABS)                                                                                 \
	X(PREVIOUS,     "btab",           "previous",  "Previous tab or field",                               \
		IN_FORM | IN_TABS)                                                                                 \
	X(LEFT,         "left h",         "left",      "Tab to the left; close the schema",                   \
		IN_TABS | IN_PICKER)                                                                               \
	X(RIGHT,        "right l",        "right",     "Tab to the right; open the schema",                   \
		IN_TABS | IN_PICKER)                                                                               \
	X(SUBMIT,       "^s",             "save",      "Accept the form",                                     \
		IN_FORM)                                                                                           \
	X(REVEAL,       "^r",             "reveal",    "Show or hide the password",                           \
		IN_FORM)                                                                                           \
	X(ZOOM,         "z",              "zoom",      "Hide or show the detail beside the list",             \
		IN_WIDE)                                                                                           \
	X(BACK,         "esc",            "back",      "One step back; never quits",                          \
		IN_ANY)                                                                                            \
	X(GO_PEERS,     "1",              "peers",     "Go to Peers",                                         \
		IN_ANY)                                                                                            \
	X(GO_MIRRORS,   "2",              "mirrors",   "Go to Mirrors",                                       \
		IN_ANY)                                                                                            \
	X(GO_EVENTS,    "3",              "events",    "Go to Events",                                        \
		IN_ANY)                                                                                            \
	X(PALETTE,      ": ^p",           "actions",   "All actions, by name",                                \
		IN_ANY)                                                                                            \
	X(HELP,         "? f1",           "help",      "The keys of this pane",                               \
		IN_ANY)                                                                                            \
	X(REPAINT,      "^l",             "repaint",   "Draw the whole screen again",                         \
		IN_ANY)                                                                                            \
	X(MOUSE,        "m",              "mouse",     "Turn the mouse on or off",                            \
		IN_ANY)                                                                                            \
	X(DETACH,       "D",              "detach",    "Leave the console; the engine goes on",               \
		IN_ANY)                                                                                            \
	X(END,          "Q",              "stop",      "Stop the engine, and leave (asks when something runs)", \
		IN_ANY | CHANGES)                                                                                  \
	X(QUIT,         "q ^c",           "quit",      "Leave the console; in the background, work goes on",  \
		IN_ANY)

enum action {
	ACTION_NONE,
#define ACTION_ID(id, keys, label, help, contexts) ACTION_##id,
	ACTIONS(ACTION_ID)
#undef ACTION_ID
		ACTION_COUNT,
};

const char *action_label(enum action a);
const char *action_help(enum action a);
const char *action_keys(enum action a); /* separated by spaces: "up k" */
unsigned action_contexts(enum action a);
/* The action that a key stands for in a pane of these contexts; ACTION_NONE. */
enum action action_of_key(int key, unsigned contexts);
/* Does the action apply in a pane of these contexts? Not where its keys mean something that is nearer. */
bool action_applies(enum action a, unsigned contexts);
/* First key of an action as people read it: "n", "^s", "tab"; enter and esc included. */
const char *action_key(enum action a, char buf[16]);
/* "^s" to 19, "pgdn" to KEY_PAGE_DOWN; `n` bytes of name. KEY_NUL when it is no key. */
int key_named(const char *name, size_t n);

#endif
