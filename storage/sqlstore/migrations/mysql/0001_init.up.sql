-- +goose Up
--
-- The first schema of usher on MySQL 8 and MariaDB.
--
-- Ids are 16 bytes. Times are microseconds since 1970, NULL where there is none. A key that is
-- unique only in some states has a column of its own that is NULL in all others, since there are
-- no partial unique indexes. "events" counts the events of the row's stream. "locks" has no
-- meaning: a row is locked by an update of it. Every enumerated text is checked, so that not even
-- a statement written by hand can invent a role. Rows carry their team in composite foreign keys,
-- so that nothing can point into another team.
--
-- Text is kept as the bytes of its UTF-8. No collation then takes "x " for "x" or an "é" for an
-- "e" (utf8mb4_bin does the former), and no DSN's character set changes what is stored. To read
-- it: CONVERT(name USING utf8mb4).
--
-- A CREATE ends the transaction, so each statement can be run again after an interruption.

CREATE TABLE IF NOT EXISTS usher_schema (
	version BIGINT NOT NULL PRIMARY KEY,
	name    VARBINARY(100) NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS usher_users (
	id             BINARY(16) NOT NULL PRIMARY KEY,
	external_id    VARBINARY(1020) UNIQUE,
	email          VARBINARY(320) NOT NULL,
	email_display  VARBINARY(320) NOT NULL,
	verified_at    BIGINT,
	verified_email VARBINARY(320) UNIQUE,
	name           VARBINARY(400) NOT NULL,
	status         VARBINARY(20) NOT NULL CHECK (status IN ('active', 'suspended', 'deleted')),
	active_team_id BINARY(16),
	autoclaim      BOOLEAN NOT NULL,
	created_at     BIGINT NOT NULL,
	version        BIGINT NOT NULL,
	events         BIGINT NOT NULL DEFAULT 0,
	locks          BIGINT NOT NULL DEFAULT 0
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS usher_accounts (
	id           BINARY(16) NOT NULL PRIMARY KEY,
	name         VARBINARY(400) NOT NULL,
	holder_id    BINARY(16) NOT NULL,
	status       VARBINARY(20) NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
	services     MEDIUMBLOB NOT NULL,
	seat_rule    VARBINARY(20) NOT NULL CHECK (seat_rule IN ('', 'warn', 'hard')),
	seat_limit   BIGINT NOT NULL CHECK (seat_limit >= 0),
	seat_pending BOOLEAN NOT NULL,
	created_at   BIGINT NOT NULL,
	version      BIGINT NOT NULL,
	events       BIGINT NOT NULL DEFAULT 0,
	locks        BIGINT NOT NULL DEFAULT 0,
	KEY usher_accounts_held (holder_id, created_at, id),
	FOREIGN KEY (holder_id) REFERENCES usher_users (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS usher_teams (
	id             BINARY(16) NOT NULL PRIMARY KEY,
	account_id     BINARY(16) NOT NULL,
	name           VARBINARY(400) NOT NULL,
	name_key       VARBINARY(2048) NOT NULL,
	channel        VARBINARY(20) CHECK (channel IN ('phone', 'chat')),
	identity       VARBINARY(320),
	live_identity  VARBINARY(340) UNIQUE,
	status         VARBINARY(20) NOT NULL CHECK (status IN ('active', 'archived')),
	settings       MEDIUMBLOB NOT NULL,
	auto_close     BIGINT,
	capacity       BIGINT NOT NULL CHECK (capacity >= 0),
	created_at     BIGINT NOT NULL,
	version        BIGINT NOT NULL,
	events         BIGINT NOT NULL DEFAULT 0,
	locks          BIGINT NOT NULL DEFAULT 0,
	UNIQUE (account_id, id),
	UNIQUE (account_id, name_key),
	CHECK ((channel IS NULL) = (identity IS NULL)),
	KEY usher_teams_of_account (account_id, created_at, id),
	KEY usher_teams_closing (auto_close),
	FOREIGN KEY (account_id) REFERENCES usher_accounts (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- The domains whose people can ask to join a team, as its settings name them.
CREATE TABLE IF NOT EXISTS usher_join_domains (
	domain     VARBINARY(253) NOT NULL,
	created_at BIGINT NOT NULL,
	team_id    BINARY(16) NOT NULL,
	PRIMARY KEY (domain, created_at, team_id),
	KEY usher_join_domains_of_team (team_id),
	FOREIGN KEY (team_id) REFERENCES usher_teams (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- The roles that accounts have made for themselves. A membership refers to one by its id alone: that
-- it is one of the team's own account is a rule of the service, and looked after by its doctor.
CREATE TABLE IF NOT EXISTS usher_roles (
	id          BINARY(16) NOT NULL PRIMARY KEY,
	account_id  BINARY(16) NOT NULL,
	name        VARBINARY(400) NOT NULL,
	name_key    VARBINARY(2048) NOT NULL,
	base        VARBINARY(20) NOT NULL CHECK (base IN ('member', 'restricted')),
	permissions MEDIUMBLOB NOT NULL,
	created_at  BIGINT NOT NULL,
	version     BIGINT NOT NULL,
	UNIQUE (account_id, name_key),
	FOREIGN KEY (account_id) REFERENCES usher_accounts (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS usher_memberships (
	team_id    BINARY(16) NOT NULL,
	user_id    BINARY(16) NOT NULL,
	role       VARBINARY(20) NOT NULL CHECK (role IN ('manager', 'member', 'restricted')),
	role_id    BINARY(16),
	status     VARBINARY(20) NOT NULL CHECK (status IN ('active', 'suspended', 'removed')),
	joined_at  BIGINT NOT NULL,
	joined_by  VARBINARY(100) NOT NULL,
	expires_at BIGINT,
	ended_at   BIGINT,
	ended_by   VARBINARY(100) NOT NULL,
	version    BIGINT NOT NULL,
	locks      BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (team_id, user_id),
	KEY usher_memberships_listed (team_id, joined_at, user_id),
	KEY usher_memberships_of_user (user_id, joined_at, team_id),
	KEY usher_memberships_in_role (role_id, team_id),
	KEY usher_memberships_expiring (status, expires_at, team_id, user_id),
	FOREIGN KEY (team_id) REFERENCES usher_teams (id),
	FOREIGN KEY (role_id) REFERENCES usher_roles (id),
	FOREIGN KEY (user_id) REFERENCES usher_users (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- What a member has in hand is counted from the conversations. Here is what cannot be: whose turn it
-- was. Whoever is given a conversation where that is bounded, or in turn, is locked here first.
CREATE TABLE IF NOT EXISTS usher_loads (
	team_id BINARY(16) NOT NULL,
	user_id BINARY(16) NOT NULL,
	turn    BIGINT NOT NULL CHECK (turn >= 0),
	version BIGINT NOT NULL,
	locks   BIGINT NOT NULL DEFAULT 0,
	repeats BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (team_id, user_id),
	FOREIGN KEY (team_id, user_id) REFERENCES usher_memberships (team_id, user_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS usher_contacts (
	id            BINARY(16) NOT NULL PRIMARY KEY,
	team_id       BINARY(16) NOT NULL,
	channel       VARBINARY(20) NOT NULL CHECK (channel IN ('phone', 'chat')),
	address       VARBINARY(320) NOT NULL,
	name          VARBINARY(400) NOT NULL,
	email         VARBINARY(320) NOT NULL,
	email_display VARBINARY(320) NOT NULL,
	notes         MEDIUMBLOB NOT NULL,
	created_at    BIGINT NOT NULL,
	version       BIGINT NOT NULL,
	events        BIGINT NOT NULL DEFAULT 0,
	locks         BIGINT NOT NULL DEFAULT 0,
	UNIQUE (team_id, id),
	UNIQUE (team_id, channel, address),
	FOREIGN KEY (team_id) REFERENCES usher_teams (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- Why contacts are here.
CREATE TABLE IF NOT EXISTS usher_applications (
	id          BINARY(16) NOT NULL PRIMARY KEY,
	account_id  BINARY(16) NOT NULL,
	team_id     BINARY(16) NOT NULL,
	contact_id  BINARY(16) NOT NULL,
	source      VARBINARY(400) NOT NULL,
	medium      VARBINARY(400) NOT NULL,
	campaign    VARBINARY(400) NOT NULL,
	job         VARBINARY(400) NOT NULL,
	location    VARBINARY(400) NOT NULL,
	keyword     VARBINARY(400) NOT NULL,
	origin      VARBINARY(20) NOT NULL CHECK (origin IN ('chat', 'import', 'keyword', 'integration')),
	external_id VARBINARY(1020),
	status      VARBINARY(400) NOT NULL,
	created_at  BIGINT NOT NULL,
	version     BIGINT NOT NULL,
	UNIQUE (account_id, external_id),
	KEY usher_applications_listed (team_id, contact_id, created_at, id),
	FOREIGN KEY (account_id, team_id) REFERENCES usher_teams (account_id, id),
	FOREIGN KEY (team_id, contact_id) REFERENCES usher_contacts (team_id, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- claimed_until is never NULL: what nobody has claimed has the zero time there, long past, so that one
-- range finds all that is free.
CREATE TABLE IF NOT EXISTS usher_conversations (
	id                BINARY(16) NOT NULL PRIMARY KEY,
	account_id        BINARY(16) NOT NULL,
	team_id           BINARY(16) NOT NULL,
	contact_id        BINARY(16) NOT NULL,
	channel           VARBINARY(20) NOT NULL CHECK (channel IN ('phone', 'chat')),
	identity          VARBINARY(320) NOT NULL,
	address           VARBINARY(320) NOT NULL,
	status            VARBINARY(20) NOT NULL CHECK (status IN ('open', 'snoozed', 'closed')),
	snoozed_until     BIGINT,
	episode           BIGINT NOT NULL,
	label             VARBINARY(400) NOT NULL,
	outcome           VARBINARY(400) NOT NULL,
	assignee_id       BINARY(16),
	claimant_id       BINARY(16),
	claimed_until     BIGINT NOT NULL,
	last_seq          BIGINT NOT NULL,
	last_at           BIGINT NOT NULL,
	idle_since        BIGINT NOT NULL,
	needs_reply_since BIGINT,
	first_sent_at     BIGINT,
	created_at        BIGINT NOT NULL,
	version           BIGINT NOT NULL,
	events            BIGINT NOT NULL DEFAULT 0,
	locks             BIGINT NOT NULL DEFAULT 0,
	UNIQUE (channel, identity, address, account_id),
	KEY usher_conversations_listed (team_id, last_at, id),
	KEY usher_conversations_by_status (team_id, status, last_at, id),
	KEY usher_conversations_assigned (team_id, assignee_id, last_at, id),
	KEY usher_conversations_load (team_id, assignee_id, status),
	KEY usher_conversations_waiting (team_id, needs_reply_since),
	KEY usher_conversations_snoozed (status, snoozed_until, id),
	KEY usher_conversations_idle (team_id, status, needs_reply_since, idle_since),
	KEY usher_conversations_queue (team_id, status, assignee_id, needs_reply_since, id, claimed_until),
	KEY usher_conversations_claimed (claimant_id, team_id, needs_reply_since, id),
	KEY usher_conversations_claims (claimed_until, id),
	FOREIGN KEY (assignee_id) REFERENCES usher_users (id),
	FOREIGN KEY (claimant_id) REFERENCES usher_users (id),
	FOREIGN KEY (account_id, team_id) REFERENCES usher_teams (account_id, id),
	FOREIGN KEY (team_id, contact_id) REFERENCES usher_contacts (team_id, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS usher_episodes (
	conversation_id BINARY(16) NOT NULL,
	number          BIGINT NOT NULL CHECK (number > 0),
	first_seq       BIGINT NOT NULL,
	opened_at       BIGINT NOT NULL,
	opened_by       VARBINARY(100) NOT NULL,
	opened_on       VARBINARY(20) NOT NULL CHECK (opened_on IN ('start', 'inbound', 'open')),
	closed_at       BIGINT,
	closed_by       VARBINARY(100) NOT NULL,
	closed_on       VARBINARY(20) NOT NULL CHECK (closed_on IN ('', 'close', 'idle')),
	outcome         VARBINARY(400) NOT NULL,
	PRIMARY KEY (conversation_id, number),
	FOREIGN KEY (conversation_id) REFERENCES usher_conversations (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- Who does not want to be offered which conversation, and until when.
CREATE TABLE IF NOT EXISTS usher_skips (
	conversation_id BINARY(16) NOT NULL,
	user_id         BINARY(16) NOT NULL,
	ends_at         BIGINT NOT NULL,
	PRIMARY KEY (conversation_id, user_id),
	FOREIGN KEY (conversation_id) REFERENCES usher_conversations (id),
	FOREIGN KEY (user_id) REFERENCES usher_users (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS usher_messages (
	conversation_id BINARY(16) NOT NULL,
	seq             BIGINT NOT NULL CHECK (seq > 0),
	id              BINARY(16) NOT NULL UNIQUE,
	kind            VARBINARY(20) NOT NULL CHECK (kind IN ('inbound', 'outbound', 'automatic', 'note', 'system')),
	author_id       BINARY(16),
	body            MEDIUMBLOB NOT NULL,
	footer          MEDIUMBLOB NOT NULL,
	attachments     MEDIUMBLOB NOT NULL,
	sent_at         BIGINT NOT NULL,
	edited_at       BIGINT,
	deleted_at      BIGINT,
	status          VARBINARY(20) NOT NULL CHECK (status IN ('', 'queued', 'sent', 'failed', 'delivered', 'read')),
	failure         VARBINARY(255) NOT NULL,
	handed_at       BIGINT,
	message_key     BINARY(32) UNIQUE,
	receipt_key     BINARY(32) UNIQUE,
	version         BIGINT NOT NULL,
	PRIMARY KEY (conversation_id, seq),
	FOREIGN KEY (conversation_id) REFERENCES usher_conversations (id),
	FOREIGN KEY (author_id) REFERENCES usher_users (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- By which words messages are found. It is an index, made from the messages: it refers to nothing, and
-- a row whose message is not there, or not in that team, finds nothing.
CREATE TABLE IF NOT EXISTS usher_words (
	team_id    BINARY(16) NOT NULL,
	word       BIGINT NOT NULL,
	sent_at    BIGINT NOT NULL,
	message_id BINARY(16) NOT NULL,
	PRIMARY KEY (team_id, word, sent_at, message_id),
	KEY usher_words_of_message (message_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS usher_grants (
	conversation_id BINARY(16) NOT NULL,
	user_id         BINARY(16) NOT NULL,
	inviter_id      BINARY(16),
	from_seq        BIGINT NOT NULL,
	read_only       BOOLEAN NOT NULL,
	accepted_at     BIGINT NOT NULL,
	expires_at      BIGINT,
	revoked_at      BIGINT,
	revoked_by      VARBINARY(100) NOT NULL,
	version         BIGINT NOT NULL,
	PRIMARY KEY (conversation_id, user_id),
	KEY usher_grants_of_user (user_id, conversation_id),
	KEY usher_grants_lapsing (revoked_at, expires_at, conversation_id, user_id),
	FOREIGN KEY (conversation_id) REFERENCES usher_conversations (id),
	FOREIGN KEY (user_id) REFERENCES usher_users (id),
	FOREIGN KEY (inviter_id) REFERENCES usher_users (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- Who must not be written to, by the identity that would write. It outlives contacts, conversations
-- and teams, so it refers to none of them.
CREATE TABLE IF NOT EXISTS usher_opt_outs (
	channel    VARBINARY(20) NOT NULL CHECK (channel IN ('phone', 'chat')),
	identity   VARBINARY(320) NOT NULL,
	address    VARBINARY(320) NOT NULL,
	account_id BINARY(16) NOT NULL,
	cause      VARBINARY(20) NOT NULL CHECK (cause IN ('contact', 'user')),
	caused_by  VARBINARY(100) NOT NULL,
	caused_at  BIGINT NOT NULL,
	reason     MEDIUMBLOB NOT NULL,
	message_id BINARY(16),
	lifted_at  BIGINT,
	lifted_by  VARBINARY(100) NOT NULL,
	version    BIGINT NOT NULL,
	locks      BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (channel, identity, address)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- How far each user has read each conversation. A message writes nothing here.
CREATE TABLE IF NOT EXISTS usher_read_marks (
	conversation_id BINARY(16) NOT NULL,
	user_id         BINARY(16) NOT NULL,
	seq             BIGINT NOT NULL CHECK (seq >= 0),
	marked_at       BIGINT NOT NULL,
	version         BIGINT NOT NULL,
	locks           BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (conversation_id, user_id),
	FOREIGN KEY (conversation_id) REFERENCES usher_conversations (id),
	FOREIGN KEY (user_id) REFERENCES usher_users (id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- An invitation is one of a team, or offers an account: then it has no team and no role, and
-- "offered_id" is the account. The account of all others is not referred to by itself, since that
-- would lock it after their team. Of a request to join, "asker_id" is who made it.
CREATE TABLE IF NOT EXISTS usher_invitations (
	id              BINARY(16) NOT NULL PRIMARY KEY,
	account_id      BINARY(16) NOT NULL,
	team_id         BINARY(16),
	kind            VARBINARY(20) NOT NULL CHECK (kind IN ('team', 'conversation', 'account', 'link', 'request')),
	conversation_id BINARY(16),
	email           VARBINARY(320) NOT NULL,
	email_display   VARBINARY(320) NOT NULL,
	role            VARBINARY(20) CHECK (role IN ('manager', 'member', 'restricted')),
	role_id         BINARY(16),
	inviter_id      BINARY(16) NOT NULL,
	state           VARBINARY(20) NOT NULL CHECK (state IN ('pending', 'accepted', 'declined', 'revoked', 'expired')),
	mailing         BIGINT NOT NULL,
	token_hash      BINARY(32) UNIQUE,
	pending_scope   BINARY(16),
	offered_id      BINARY(16),
	pending_offer   BINARY(16) UNIQUE,
	asker_id        BINARY(16),
	pending_asker   BINARY(16),
	domain          VARBINARY(320) NOT NULL,
	uses            BIGINT NOT NULL,
	max_uses        BIGINT NOT NULL,
	batch_id        BINARY(16),
	created_at      BIGINT NOT NULL,
	expires_at      BIGINT NOT NULL,
	mailed_at       BIGINT,
	ended_at        BIGINT,
	ended_by        VARBINARY(100) NOT NULL,
	accepted_by     BINARY(16),
	terms           VARBINARY(60) NOT NULL,
	history         VARBINARY(20) NOT NULL CHECK (history IN ('', 'invitation', 'now')),
	lasts           BIGINT NOT NULL,
	resends         BIGINT NOT NULL,
	resends_from    BIGINT,
	version         BIGINT NOT NULL,
	locks           BIGINT NOT NULL DEFAULT 0,
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
	KEY usher_invitations_listed (team_id, created_at, id),
	KEY usher_invitations_sent (inviter_id, team_id, state),
	KEY usher_invitations_pending (account_id, state, expires_at),
	KEY usher_invitations_offered (offered_id, created_at, id),
	KEY usher_invitations_asked (asker_id, created_at, id),
	KEY usher_invitations_batch (batch_id, account_id),
	KEY usher_invitations_lapsing (state, expires_at, id),
	KEY usher_invitations_to (email, account_id),
	KEY usher_invitations_open (team_id, state, expires_at),
	KEY usher_invitations_of_conversation (conversation_id, created_at, id),
	FOREIGN KEY (conversation_id) REFERENCES usher_conversations (id),
	FOREIGN KEY (offered_id) REFERENCES usher_accounts (id),
	FOREIGN KEY (asker_id) REFERENCES usher_users (id),
	FOREIGN KEY (inviter_id) REFERENCES usher_users (id),
	FOREIGN KEY (accepted_by) REFERENCES usher_users (id),
	FOREIGN KEY (account_id, team_id) REFERENCES usher_teams (account_id, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- Who came in by a link.
CREATE TABLE IF NOT EXISTS usher_invitation_uses (
	invitation_id BINARY(16) NOT NULL,
	user_id       BINARY(16) NOT NULL,
	team_id       BINARY(16) NOT NULL,
	used_at       BIGINT NOT NULL,
	PRIMARY KEY (invitation_id, user_id),
	KEY usher_invitation_uses_listed (invitation_id, used_at, user_id),
	FOREIGN KEY (user_id) REFERENCES usher_users (id),
	FOREIGN KEY (team_id, invitation_id) REFERENCES usher_invitations (team_id, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS usher_deliveries (
	id                   BINARY(16) NOT NULL PRIMARY KEY,
	conversation_id      BINARY(16) NOT NULL,
	account_id           BINARY(16) NOT NULL,
	from_team_id         BINARY(16) NOT NULL,
	by_id                BINARY(16) NOT NULL,
	user_id              BINARY(16),
	email                VARBINARY(320) NOT NULL,
	email_display        VARBINARY(320) NOT NULL,
	to_team_id           BINARY(16),
	outcome              VARBINARY(400) NOT NULL,
	category             VARBINARY(20) NOT NULL CHECK (category IN ('positive', 'neutral', 'negative')),
	rating               BIGINT NOT NULL CHECK (rating BETWEEN 0 AND 5),
	summary              BLOB NOT NULL,
	application_id       BINARY(16),
	source               VARBINARY(400) NOT NULL,
	medium               VARBINARY(400) NOT NULL,
	campaign             VARBINARY(400) NOT NULL,
	job                  VARBINARY(400) NOT NULL,
	location             VARBINARY(400) NOT NULL,
	keyword              VARBINARY(400) NOT NULL,
	keep_open            BOOLEAN NOT NULL,
	keep_reading         BOOLEAN NOT NULL,
	state                VARBINARY(20) NOT NULL CHECK (state IN ('pending', 'completed', 'declined', 'expired', 'cancelled', 'failed')),
	pending_conversation BINARY(16) UNIQUE,
	invitation_id        BINARY(16),
	deadline             BIGINT,
	reason               BLOB NOT NULL,
	created_at           BIGINT NOT NULL,
	ended_at             BIGINT,
	version              BIGINT NOT NULL,
	KEY usher_deliveries_from (from_team_id, created_at, id),
	KEY usher_deliveries_to (to_team_id, created_at, id),
	KEY usher_deliveries_of_conversation (conversation_id, created_at, id),
	KEY usher_deliveries_to_user (user_id, from_team_id, pending_conversation),
	KEY usher_deliveries_lapsing (deadline, pending_conversation),
	KEY usher_deliveries_by (by_id, from_team_id, pending_conversation),
	KEY usher_deliveries_to_email (email),
	FOREIGN KEY (conversation_id) REFERENCES usher_conversations (id),
	FOREIGN KEY (by_id) REFERENCES usher_users (id),
	FOREIGN KEY (user_id) REFERENCES usher_users (id),
	FOREIGN KEY (invitation_id) REFERENCES usher_invitations (id),
	FOREIGN KEY (application_id) REFERENCES usher_applications (id),
	FOREIGN KEY (account_id, from_team_id) REFERENCES usher_teams (account_id, id),
	FOREIGN KEY (account_id, to_team_id) REFERENCES usher_teams (account_id, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- What was answered to operations that ran under an idempotency key.
CREATE TABLE IF NOT EXISTS usher_operations (
	principal     VARBINARY(100) NOT NULL CHECK (principal <> ''),
	operation_key VARBINARY(255) NOT NULL CHECK (operation_key <> ''),
	request       BINARY(32) NOT NULL,
	result        MEDIUMBLOB NOT NULL,
	ran_at        BIGINT NOT NULL,
	PRIMARY KEY (principal, operation_key),
	KEY usher_operations_by_age (ran_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- The log. Nothing refers to accounts and teams by foreign keys here, since that would lock them
-- with every event, and the counter of the stream's row has proven already that the stream exists.
-- "batch" puts a team's events in an order for those who follow it. One that is in no batch yet is in
-- the last that there can be, and so comes after all others.
CREATE TABLE IF NOT EXISTS usher_events (
	id          BINARY(16) NOT NULL PRIMARY KEY,
	stream_kind VARBINARY(20) NOT NULL CHECK (stream_kind IN ('account', 'user', 'team', 'contact', 'conversation')),
	stream_id   BINARY(16) NOT NULL,
	seq         BIGINT NOT NULL CHECK (seq > 0),
	account_id  BINARY(16),
	team_id     BINARY(16),
	kind        VARBINARY(100) NOT NULL,
	version     BIGINT NOT NULL,
	principal   VARBINARY(100) NOT NULL,
	occurred_at BIGINT NOT NULL,
	payload     MEDIUMBLOB NOT NULL,
	batch       BIGINT NOT NULL DEFAULT 9223372036854775807,
	UNIQUE (stream_kind, stream_id, seq),
	KEY usher_events_of_team (team_id, occurred_at, id),
	KEY usher_events_in_order (team_id, batch, stream_id, seq)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- How many batches there are of a team's events. Who makes one is locked here first, and no writer is. It
-- refers to no team, since that would lock the team.
CREATE TABLE IF NOT EXISTS usher_feeds (
	team_id BINARY(16) NOT NULL PRIMARY KEY,
	batches BIGINT NOT NULL,
	repeats BIGINT NOT NULL DEFAULT 0
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- What the lanes have not delivered: an event has a row for each lane that it takes, until it is
-- delivered there. due_at is when it may next be handed to the sink: 0 at first, the end of the
-- lease while a relay holds it, the time of the retry after a failure, and NULL for a dead letter,
-- which has the time of its burial instead. Only two indexes begin with the lane: with a third, an
-- engine may look through the whole lane for what is due, and lock all of it.
CREATE TABLE IF NOT EXISTS usher_outbox (
	lane        VARBINARY(64) NOT NULL CHECK (lane <> ''),
	event_id    BINARY(16) NOT NULL,
	stream_kind VARBINARY(20) NOT NULL,
	stream_id   BINARY(16) NOT NULL,
	seq         BIGINT NOT NULL,
	due_at      BIGINT,
	attempts    BIGINT NOT NULL DEFAULT 0,
	leased      BIGINT NOT NULL DEFAULT 0 CHECK (leased IN (0, 1)),
	buried_at   BIGINT,
	PRIMARY KEY (event_id, lane),
	FOREIGN KEY (event_id) REFERENCES usher_events (id),
	CHECK ((due_at IS NULL) <> (buried_at IS NULL)),
	KEY usher_outbox_due (lane, due_at, event_id),
	KEY usher_outbox_waiting (stream_id, stream_kind, lane, seq, due_at),
	KEY usher_outbox_buried (lane, buried_at, event_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- Which events the consumers have seen whose effects are in this database. The events may be
-- another database's, so nothing refers to them. "repeats" is what an insert of a row that
-- exists changes: INSERT IGNORE would pass over errors of every kind.
CREATE TABLE IF NOT EXISTS usher_inbox (
	consumer VARBINARY(64) NOT NULL CHECK (consumer <> ''),
	event_id BINARY(16) NOT NULL,
	seen_at  BIGINT NOT NULL,
	repeats  BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (consumer, event_id),
	KEY usher_inbox_by_age (consumer, seen_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- What JoinTx asks to see the isolation level of a transaction: no variable tells it.
CREATE TABLE IF NOT EXISTS usher_isolation (
	id     BIGINT NOT NULL PRIMARY KEY,
	probes BIGINT NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

INSERT IGNORE INTO usher_isolation (id, probes) VALUES (1, 0);

INSERT IGNORE INTO usher_schema (version, name) VALUES (1, 'init');
