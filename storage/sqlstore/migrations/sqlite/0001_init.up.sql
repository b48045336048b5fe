-- +goose Up
--
-- The first schema of usher on SQLite.
--
-- Ids are 16 bytes. Times are microseconds since 1970, NULL where there is none. A key that is
-- unique only in some states has a column of its own that is NULL in all others: MySQL has no
-- partial unique indexes, and one form for all engines is easier to trust. "events" counts the
-- events of the row's stream. Every enumerated text is checked, so that not even a statement
-- written by hand can invent a role. Rows carry their team in composite foreign keys, so that
-- nothing can point into another team.

CREATE TABLE usher_schema (
	version INTEGER NOT NULL PRIMARY KEY,
	name    TEXT NOT NULL
) STRICT;

CREATE TABLE usher_users (
	id             BLOB NOT NULL PRIMARY KEY,
	external_id    TEXT UNIQUE,
	email          TEXT NOT NULL,
	email_display  TEXT NOT NULL,
	verified_at    INTEGER,
	verified_email TEXT UNIQUE,
	name           TEXT NOT NULL,
	status         TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'deleted')),
	active_team_id BLOB,
	autoclaim      INTEGER NOT NULL CHECK (autoclaim IN (0, 1)),
	created_at     INTEGER NOT NULL,
	version        INTEGER NOT NULL,
	events         INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE usher_accounts (
	id           BLOB NOT NULL PRIMARY KEY,
	name         TEXT NOT NULL,
	holder_id    BLOB NOT NULL REFERENCES usher_users (id),
	status       TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
	services     TEXT NOT NULL,
	seat_rule    TEXT NOT NULL CHECK (seat_rule IN ('', 'warn', 'hard')),
	seat_limit   INTEGER NOT NULL CHECK (seat_limit >= 0),
	seat_pending INTEGER NOT NULL CHECK (seat_pending IN (0, 1)),
	created_at   INTEGER NOT NULL,
	version      INTEGER NOT NULL,
	events       INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX usher_accounts_held ON usher_accounts (holder_id, created_at, id);

CREATE TABLE usher_teams (
	id             BLOB NOT NULL PRIMARY KEY,
	account_id     BLOB NOT NULL REFERENCES usher_accounts (id),
	name           TEXT NOT NULL,
	name_key       TEXT NOT NULL,
	channel        TEXT CHECK (channel IN ('phone', 'chat')),
	identity       TEXT,
	live_identity  TEXT UNIQUE,
	status         TEXT NOT NULL CHECK (status IN ('active', 'archived')),
	settings       TEXT NOT NULL,
	auto_close     INTEGER,
	capacity       INTEGER NOT NULL CHECK (capacity >= 0),
	created_at     INTEGER NOT NULL,
	version        INTEGER NOT NULL,
	events         INTEGER NOT NULL DEFAULT 0,
	UNIQUE (account_id, id),
	UNIQUE (account_id, name_key),
	CHECK ((channel IS NULL) = (identity IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX usher_teams_of_account ON usher_teams (account_id, created_at, id);
CREATE INDEX usher_teams_closing ON usher_teams (id) WHERE auto_close IS NOT NULL;

-- The domains whose people can ask to join a team, as its settings name them.
CREATE TABLE usher_join_domains (
	domain     TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	team_id    BLOB NOT NULL REFERENCES usher_teams (id),
	PRIMARY KEY (domain, created_at, team_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX usher_join_domains_of_team ON usher_join_domains (team_id);

-- The roles that accounts have made for themselves. A membership refers to one by its id alone: that
-- it is one of the team's own account is a rule of the service, and looked after by its doctor.
CREATE TABLE usher_roles (
	id          BLOB NOT NULL PRIMARY KEY,
	account_id  BLOB NOT NULL REFERENCES usher_accounts (id),
	name        TEXT NOT NULL,
	name_key    TEXT NOT NULL,
	base        TEXT NOT NULL CHECK (base IN ('member', 'restricted')),
	permissions TEXT NOT NULL,
	created_at  INTEGER NOT NULL,
	version     INTEGER NOT NULL,
	UNIQUE (account_id, name_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE usher_memberships (
	team_id    BLOB NOT NULL REFERENCES usher_teams (id),
	user_id    BLOB NOT NULL REFERENCES usher_users (id),
	role       TEXT NOT NULL CHECK (role IN ('manager', 'member', 'restricted')),
	role_id    BLOB REFERENCES usher_roles (id),
	status     TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'removed')),
	joined_at  INTEGER NOT NULL,
	joined_by  TEXT NOT NULL,
	expires_at INTEGER,
	ended_at   INTEGER,
	ended_by   TEXT NOT NULL,
	version    INTEGER NOT NULL,
	PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX usher_memberships_listed ON usher_memberships (team_id, joined_at, user_id);
CREATE INDEX usher_memberships_of_user ON usher_memberships (user_id, joined_at, team_id);
CREATE INDEX usher_memberships_in_role ON usher_memberships (role_id, team_id)
	WHERE role_id IS NOT NULL;
CREATE INDEX usher_memberships_expiring ON usher_memberships (expires_at, team_id, user_id)
	WHERE status = 'active' AND expires_at IS NOT NULL;

-- What a member has in hand is counted from the conversations. Here is what cannot be: whose turn it
-- was. Whoever is given a conversation where that is bounded, or in turn, is locked here first.
CREATE TABLE usher_loads (
	team_id BLOB NOT NULL,
	user_id BLOB NOT NULL,
	turn    INTEGER NOT NULL CHECK (turn >= 0),
	version INTEGER NOT NULL,
	PRIMARY KEY (team_id, user_id),
	FOREIGN KEY (team_id, user_id) REFERENCES usher_memberships (team_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE usher_contacts (
	id            BLOB NOT NULL PRIMARY KEY,
	team_id       BLOB NOT NULL REFERENCES usher_teams (id),
	channel       TEXT NOT NULL CHECK (channel IN ('phone', 'chat')),
	address       TEXT NOT NULL,
	name          TEXT NOT NULL,
	email         TEXT NOT NULL,
	email_display TEXT NOT NULL,
	notes         TEXT NOT NULL,
	created_at    INTEGER NOT NULL,
	version       INTEGER NOT NULL,
	events        INTEGER NOT NULL DEFAULT 0,
	UNIQUE (team_id, id),
	UNIQUE (team_id, channel, address)
) STRICT;

-- Why contacts are here.
CREATE TABLE usher_applications (
	id          BLOB NOT NULL PRIMARY KEY,
	account_id  BLOB NOT NULL,
	team_id     BLOB NOT NULL,
	contact_id  BLOB NOT NULL,
	source      TEXT NOT NULL,
	medium      TEXT NOT NULL,
	campaign    TEXT NOT NULL,
	job         TEXT NOT NULL,
	location    TEXT NOT NULL,
	keyword     TEXT NOT NULL,
	origin      TEXT NOT NULL CHECK (origin IN ('chat', 'import', 'keyword', 'integration')),
	external_id TEXT,
	status      TEXT NOT NULL,
	created_at  INTEGER NOT NULL,
	version     INTEGER NOT NULL,
	UNIQUE (account_id, external_id),
	FOREIGN KEY (account_id, team_id) REFERENCES usher_teams (account_id, id),
	FOREIGN KEY (team_id, contact_id) REFERENCES usher_contacts (team_id, id)
) STRICT;

CREATE INDEX usher_applications_listed ON usher_applications (team_id, contact_id, created_at, id);

-- claimed_until is never NULL: what nobody has claimed has the zero time there, long past, so that one
-- range finds all that is free.
CREATE TABLE usher_conversations (
	id                BLOB NOT NULL PRIMARY KEY,
	account_id        BLOB NOT NULL,
	team_id           BLOB NOT NULL,
	contact_id        BLOB NOT NULL,
	channel           TEXT NOT NULL CHECK (channel IN ('phone', 'chat')),
	identity          TEXT NOT NULL,
	address           TEXT NOT NULL,
	status            TEXT NOT NULL CHECK (status IN ('open', 'snoozed', 'closed')),
	snoozed_until     INTEGER,
	episode           INTEGER NOT NULL,
	label             TEXT NOT NULL,
	outcome           TEXT NOT NULL,
	assignee_id       BLOB REFERENCES usher_users (id),
	claimant_id       BLOB REFERENCES usher_users (id),
	claimed_until     INTEGER NOT NULL,
	last_seq          INTEGER NOT NULL,
	last_at           INTEGER NOT NULL,
	idle_since        INTEGER NOT NULL,
	needs_reply_since INTEGER,
	first_sent_at     INTEGER,
	created_at        INTEGER NOT NULL,
	version           INTEGER NOT NULL,
	events            INTEGER NOT NULL DEFAULT 0,
	UNIQUE (channel, identity, address, account_id),
	FOREIGN KEY (account_id, team_id) REFERENCES usher_teams (account_id, id),
	FOREIGN KEY (team_id, contact_id) REFERENCES usher_contacts (team_id, id)
) STRICT;

CREATE INDEX usher_conversations_listed ON usher_conversations (team_id, last_at, id);
CREATE INDEX usher_conversations_by_status ON usher_conversations (team_id, status, last_at, id);
CREATE INDEX usher_conversations_assigned ON usher_conversations (team_id, assignee_id, last_at, id)
	WHERE assignee_id IS NOT NULL;
CREATE INDEX usher_conversations_unassigned ON usher_conversations (team_id, last_at, id)
	WHERE assignee_id IS NULL;
CREATE INDEX usher_conversations_load ON usher_conversations (team_id, assignee_id)
	WHERE assignee_id IS NOT NULL AND status = 'open';
CREATE INDEX usher_conversations_waiting ON usher_conversations (team_id, last_at, id)
	WHERE needs_reply_since IS NOT NULL;
CREATE INDEX usher_conversations_queue ON usher_conversations (team_id, assignee_id, needs_reply_since, id, claimed_until)
	WHERE needs_reply_since IS NOT NULL AND status = 'open';
CREATE INDEX usher_conversations_claimed ON usher_conversations (claimant_id, team_id, needs_reply_since, id)
	WHERE claimant_id IS NOT NULL;
CREATE INDEX usher_conversations_claims ON usher_conversations (claimed_until, id)
	WHERE claimant_id IS NOT NULL;
CREATE INDEX usher_conversations_snoozed ON usher_conversations (snoozed_until, id)
	WHERE status = 'snoozed';
CREATE INDEX usher_conversations_idle ON usher_conversations (team_id, idle_since)
	WHERE status = 'open' AND needs_reply_since IS NULL;

CREATE TABLE usher_episodes (
	conversation_id BLOB NOT NULL REFERENCES usher_conversations (id),
	number          INTEGER NOT NULL CHECK (number > 0),
	first_seq       INTEGER NOT NULL,
	opened_at       INTEGER NOT NULL,
	opened_by       TEXT NOT NULL,
	opened_on       TEXT NOT NULL CHECK (opened_on IN ('start', 'inbound', 'open')),
	closed_at       INTEGER,
	closed_by       TEXT NOT NULL,
	closed_on       TEXT NOT NULL CHECK (closed_on IN ('', 'close', 'idle')),
	outcome         TEXT NOT NULL,
	PRIMARY KEY (conversation_id, number)
) STRICT, WITHOUT ROWID;

-- Who does not want to be offered which conversation, and until when.
CREATE TABLE usher_skips (
	conversation_id BLOB NOT NULL REFERENCES usher_conversations (id),
	user_id         BLOB NOT NULL REFERENCES usher_users (id),
	ends_at         INTEGER NOT NULL,
	PRIMARY KEY (conversation_id, user_id)
) STRICT;

CREATE TABLE usher_messages (
	conversation_id BLOB NOT NULL REFERENCES usher_conversations (id),
	seq             INTEGER NOT NULL CHECK (seq > 0),
	id              BLOB NOT NULL UNIQUE,
	kind            TEXT NOT NULL CHECK (kind IN ('inbound', 'outbound', 'automatic', 'note', 'system')),
	author_id       BLOB REFERENCES usher_users (id),
	body            TEXT NOT NULL,
	footer          TEXT NOT NULL,
	attachments     TEXT NOT NULL,
	sent_at         INTEGER NOT NULL,
	edited_at       INTEGER,
	deleted_at      INTEGER,
	status          TEXT NOT NULL CHECK (status IN ('', 'queued', 'sent', 'failed', 'delivered', 'read')),
	failure         TEXT NOT NULL,
	handed_at       INTEGER,
	message_key     BLOB UNIQUE,
	receipt_key     BLOB UNIQUE,
	version         INTEGER NOT NULL,
	PRIMARY KEY (conversation_id, seq)
) STRICT;

-- By which words messages are found. It is an index, made from the messages: it refers to nothing, and
-- a row whose message is not there, or not in that team, finds nothing.
CREATE TABLE usher_words (
	team_id    BLOB NOT NULL,
	word       INTEGER NOT NULL,
	sent_at    INTEGER NOT NULL,
	message_id BLOB NOT NULL,
	PRIMARY KEY (team_id, word, sent_at, message_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX usher_words_of_message ON usher_words (message_id);

CREATE TABLE usher_grants (
	conversation_id BLOB NOT NULL REFERENCES usher_conversations (id),
	user_id         BLOB NOT NULL REFERENCES usher_users (id),
	inviter_id      BLOB REFERENCES usher_users (id),
	from_seq        INTEGER NOT NULL,
	read_only       INTEGER NOT NULL CHECK (read_only IN (0, 1)),
	accepted_at     INTEGER NOT NULL,
	expires_at      INTEGER,
	revoked_at      INTEGER,
	revoked_by      TEXT NOT NULL,
	version         INTEGER NOT NULL,
	PRIMARY KEY (conversation_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX usher_grants_of_user ON usher_grants (user_id, conversation_id);
CREATE INDEX usher_grants_lapsing ON usher_grants (expires_at, conversation_id, user_id)
	WHERE revoked_at IS NULL AND expires_at IS NOT NULL;

-- Who must not be written to, by the identity that would write. It outlives contacts, conversations
-- and teams, so it refers to none of them.
CREATE TABLE usher_opt_outs (
	channel    TEXT NOT NULL CHECK (channel IN ('phone', 'chat')),
	identity   TEXT NOT NULL,
	address    TEXT NOT NULL,
	account_id BLOB NOT NULL,
	cause      TEXT NOT NULL CHECK (cause IN ('contact', 'user')),
	caused_by  TEXT NOT NULL,
	caused_at  INTEGER NOT NULL,
	reason     TEXT NOT NULL,
	message_id BLOB,
	lifted_at  INTEGER,
	lifted_by  TEXT NOT NULL,
	version    INTEGER NOT NULL,
	locks      INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (channel, identity, address)
) STRICT, WITHOUT ROWID;

-- How far each user has read each conversation. A message writes nothing here.
CREATE TABLE usher_read_marks (
	conversation_id BLOB NOT NULL REFERENCES usher_conversations (id),
	user_id         BLOB NOT NULL REFERENCES usher_users (id),
	seq             INTEGER NOT NULL CHECK (seq >= 0),
	marked_at       INTEGER NOT NULL,
	version         INTEGER NOT NULL,
	locks           INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (conversation_id, user_id)
) STRICT, WITHOUT ROWID;

-- An invitation is one of a team, or offers an account: then it has no team and no role, and
-- "offered_id" is the account. The account of all others is not referred to by itself, since that
-- would lock it after their team. Of a request to join, "asker_id" is who made it.
CREATE TABLE usher_invitations (
	id              BLOB NOT NULL PRIMARY KEY,
	account_id      BLOB NOT NULL,
	team_id         BLOB,
	kind            TEXT NOT NULL CHECK (kind IN ('team', 'conversation', 'account', 'link', 'request')),
	conversation_id BLOB REFERENCES usher_conversations (id),
	email           TEXT NOT NULL,
	email_display   TEXT NOT NULL,
	role            TEXT CHECK (role IN ('manager', 'member', 'restricted')),
	role_id         BLOB,
	inviter_id      BLOB NOT NULL REFERENCES usher_users (id),
	state           TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'declined', 'revoked', 'expired')),
	mailing         INTEGER NOT NULL,
	token_hash      BLOB UNIQUE,
	pending_scope   BLOB,
	offered_id      BLOB REFERENCES usher_accounts (id),
	pending_offer   BLOB UNIQUE,
	asker_id        BLOB REFERENCES usher_users (id),
	pending_asker   BLOB,
	domain          TEXT NOT NULL,
	uses            INTEGER NOT NULL,
	max_uses        INTEGER NOT NULL,
	batch_id        BLOB,
	created_at      INTEGER NOT NULL,
	expires_at      INTEGER NOT NULL,
	mailed_at       INTEGER,
	ended_at        INTEGER,
	ended_by        TEXT NOT NULL,
	accepted_by     BLOB REFERENCES usher_users (id),
	terms           TEXT NOT NULL,
	history         TEXT NOT NULL CHECK (history IN ('', 'invitation', 'now')),
	lasts           INTEGER NOT NULL,
	resends         INTEGER NOT NULL,
	resends_from    INTEGER,
	version         INTEGER NOT NULL,
	UNIQUE (pending_scope, email),
	UNIQUE (team_id, pending_asker),
	UNIQUE (team_id, id),
	CHECK (kind <> 'conversation' OR conversation_id IS NOT NULL),
	CHECK ((kind = 'account') = (team_id IS NULL)),
	CHECK (kind = 'request' OR (kind = 'account') = (role IS NULL)),
	CHECK ((kind = 'request') = (asker_id IS NOT NULL)),
	CHECK ((kind = 'link') = (max_uses > 0)),
	CHECK (uses BETWEEN 0 AND max_uses),
	CHECK ((kind = 'account') = (offered_id IS NOT NULL)),
	CHECK (offered_id IS NULL OR offered_id = account_id),
	FOREIGN KEY (account_id, team_id) REFERENCES usher_teams (account_id, id)
) STRICT;

CREATE INDEX usher_invitations_listed ON usher_invitations (team_id, created_at, id);
CREATE INDEX usher_invitations_sent ON usher_invitations (inviter_id, team_id, id)
	WHERE state = 'pending';
CREATE INDEX usher_invitations_pending ON usher_invitations (account_id, expires_at)
	WHERE state = 'pending';
CREATE INDEX usher_invitations_offered ON usher_invitations (offered_id, created_at, id)
	WHERE offered_id IS NOT NULL;
CREATE INDEX usher_invitations_open ON usher_invitations (team_id, expires_at)
	WHERE state = 'pending';
CREATE INDEX usher_invitations_asked ON usher_invitations (asker_id, created_at, id)
	WHERE asker_id IS NOT NULL;
CREATE INDEX usher_invitations_batch ON usher_invitations (batch_id, account_id) WHERE batch_id IS NOT NULL;
CREATE INDEX usher_invitations_lapsing ON usher_invitations (expires_at, id)
	WHERE state = 'pending';
CREATE INDEX usher_invitations_to ON usher_invitations (email, account_id);
CREATE INDEX usher_invitations_accepted ON usher_invitations (accepted_by) WHERE accepted_by IS NOT NULL;
CREATE INDEX usher_invitations_of_conversation ON usher_invitations (conversation_id, created_at, id)
	WHERE conversation_id IS NOT NULL;

-- Who came in by a link.
CREATE TABLE usher_invitation_uses (
	invitation_id BLOB NOT NULL,
	user_id       BLOB NOT NULL REFERENCES usher_users (id),
	team_id       BLOB NOT NULL,
	used_at       INTEGER NOT NULL,
	PRIMARY KEY (invitation_id, user_id),
	FOREIGN KEY (team_id, invitation_id) REFERENCES usher_invitations (team_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX usher_invitation_uses_listed ON usher_invitation_uses (invitation_id, used_at, user_id);

CREATE TABLE usher_deliveries (
	id                   BLOB NOT NULL PRIMARY KEY,
	conversation_id      BLOB NOT NULL REFERENCES usher_conversations (id),
	account_id           BLOB NOT NULL,
	from_team_id         BLOB NOT NULL,
	by_id                BLOB NOT NULL REFERENCES usher_users (id),
	user_id              BLOB REFERENCES usher_users (id),
	email                TEXT NOT NULL,
	email_display        TEXT NOT NULL,
	to_team_id           BLOB,
	outcome              TEXT NOT NULL,
	category             TEXT NOT NULL CHECK (category IN ('positive', 'neutral', 'negative')),
	rating               INTEGER NOT NULL CHECK (rating BETWEEN 0 AND 5),
	summary              TEXT NOT NULL,
	application_id       BLOB REFERENCES usher_applications (id),
	source               TEXT NOT NULL,
	medium               TEXT NOT NULL,
	campaign             TEXT NOT NULL,
	job                  TEXT NOT NULL,
	location             TEXT NOT NULL,
	keyword              TEXT NOT NULL,
	keep_open            INTEGER NOT NULL CHECK (keep_open IN (0, 1)),
	keep_reading         INTEGER NOT NULL CHECK (keep_reading IN (0, 1)),
	state                TEXT NOT NULL CHECK (state IN ('pending', 'completed', 'declined', 'expired', 'cancelled', 'failed')),
	pending_conversation BLOB UNIQUE,
	invitation_id        BLOB REFERENCES usher_invitations (id),
	deadline             INTEGER,
	reason               TEXT NOT NULL,
	created_at           INTEGER NOT NULL,
	ended_at             INTEGER,
	version              INTEGER NOT NULL,
	FOREIGN KEY (account_id, from_team_id) REFERENCES usher_teams (account_id, id),
	FOREIGN KEY (account_id, to_team_id) REFERENCES usher_teams (account_id, id)
) STRICT;

CREATE INDEX usher_deliveries_from ON usher_deliveries (from_team_id, created_at, id);
CREATE INDEX usher_deliveries_to ON usher_deliveries (to_team_id, created_at, id)
	WHERE to_team_id IS NOT NULL;
CREATE INDEX usher_deliveries_of_conversation ON usher_deliveries (conversation_id, created_at, id);
CREATE INDEX usher_deliveries_pending ON usher_deliveries (by_id, from_team_id, pending_conversation)
	WHERE pending_conversation IS NOT NULL;
CREATE INDEX usher_deliveries_to_user ON usher_deliveries (user_id, from_team_id, created_at, id)
	WHERE pending_conversation IS NOT NULL AND user_id IS NOT NULL;
CREATE INDEX usher_deliveries_waiting ON usher_deliveries (to_team_id, created_at, id)
	WHERE pending_conversation IS NOT NULL AND to_team_id IS NOT NULL;
CREATE INDEX usher_deliveries_lapsing ON usher_deliveries (deadline, pending_conversation)
	WHERE pending_conversation IS NOT NULL AND deadline IS NOT NULL;
CREATE INDEX usher_deliveries_to_email ON usher_deliveries (email) WHERE email <> '';

-- What was answered to operations that ran under an idempotency key.
CREATE TABLE usher_operations (
	principal     TEXT NOT NULL CHECK (principal <> ''),
	operation_key TEXT NOT NULL CHECK (operation_key <> ''),
	request       BLOB NOT NULL,
	result        TEXT NOT NULL,
	ran_at        INTEGER NOT NULL,
	PRIMARY KEY (principal, operation_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX usher_operations_by_age ON usher_operations (ran_at);

-- The log. Nothing refers to accounts and teams by foreign keys here, since that would lock them
-- with every event, and the counter of the stream's row has proven already that the stream exists.
-- "batch" puts a team's events in an order for those who follow it. One that is in no batch yet is in
-- the last that there can be, and so comes after all others.
CREATE TABLE usher_events (
	id          BLOB NOT NULL PRIMARY KEY,
	stream_kind TEXT NOT NULL CHECK (stream_kind IN ('account', 'user', 'team', 'contact', 'conversation')),
	stream_id   BLOB NOT NULL,
	seq         INTEGER NOT NULL CHECK (seq > 0),
	account_id  BLOB,
	team_id     BLOB,
	kind        TEXT NOT NULL,
	version     INTEGER NOT NULL,
	principal   TEXT NOT NULL,
	occurred_at INTEGER NOT NULL,
	payload     TEXT NOT NULL,
	batch       INTEGER NOT NULL DEFAULT 9223372036854775807,
	UNIQUE (stream_kind, stream_id, seq)
) STRICT;

CREATE INDEX usher_events_of_team ON usher_events (team_id, occurred_at, id);
CREATE INDEX usher_events_in_order ON usher_events (team_id, batch, stream_id, seq);

-- How many batches there are of a team's events. Who makes one is locked here first, and no writer is. It
-- refers to no team, since that would lock the team.
CREATE TABLE usher_feeds (
	team_id BLOB NOT NULL PRIMARY KEY,
	batches INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the lanes have not delivered: an event has a row for each lane that it takes, until it is
-- delivered there. due_at is when it may next be handed to the sink: 0 at first, the end of the
-- lease while a relay holds it, the time of the retry after a failure, and NULL for a dead letter,
-- which has the time of its burial instead.
CREATE TABLE usher_outbox (
	lane        TEXT NOT NULL CHECK (lane <> ''),
	event_id    BLOB NOT NULL REFERENCES usher_events (id),
	stream_kind TEXT NOT NULL,
	stream_id   BLOB NOT NULL,
	seq         INTEGER NOT NULL,
	due_at      INTEGER,
	attempts    INTEGER NOT NULL DEFAULT 0,
	leased      INTEGER NOT NULL DEFAULT 0 CHECK (leased IN (0, 1)),
	buried_at   INTEGER,
	PRIMARY KEY (event_id, lane),
	CHECK ((due_at IS NULL) <> (buried_at IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX usher_outbox_due ON usher_outbox (lane, due_at, event_id) WHERE due_at IS NOT NULL;
CREATE INDEX usher_outbox_waiting ON usher_outbox (stream_id, stream_kind, lane, seq)
	WHERE due_at IS NOT NULL;
CREATE INDEX usher_outbox_buried ON usher_outbox (lane, buried_at, event_id) WHERE buried_at IS NOT NULL;

-- Which events the consumers have seen whose effects are in this database. The events may be
-- another database's, so nothing refers to them.
CREATE TABLE usher_inbox (
	consumer TEXT NOT NULL CHECK (consumer <> ''),
	event_id BLOB NOT NULL,
	seen_at  INTEGER NOT NULL,
	PRIMARY KEY (consumer, event_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX usher_inbox_by_age ON usher_inbox (consumer, seen_at);

INSERT INTO usher_schema (version, name) VALUES (1, 'init');
