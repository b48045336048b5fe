-- +goose Up
--
-- The first schema of usher on PostgreSQL.
--
-- Times are microseconds since 1970, NULL where there is none. A key that is unique only in some
-- states has a column of its own that is NULL in all others: MySQL has no partial unique indexes,
-- and one form for all engines is easier to trust. "events" counts the events of the row's stream.
-- "locks" has no meaning: a row is locked by an update of it. Every enumerated text is checked, so
-- that not even a statement written by hand can invent a role. Rows carry their team in composite
-- foreign keys, so that nothing can point into another team.
--
-- Keys have the collation "C": it compares bytes, and an upgrade of the system's locales cannot
-- damage its indexes.

CREATE TABLE usher_schema (
	version bigint NOT NULL PRIMARY KEY,
	name    text NOT NULL
);

CREATE TABLE usher_users (
	id             uuid NOT NULL PRIMARY KEY,
	external_id    text COLLATE "C" UNIQUE,
	email          text NOT NULL,
	email_display  text NOT NULL,
	verified_at    bigint,
	verified_email text COLLATE "C" UNIQUE,
	name           text NOT NULL,
	status         text NOT NULL CHECK (status IN ('active', 'suspended', 'deleted')),
	active_team_id uuid,
	autoclaim      boolean NOT NULL,
	created_at     bigint NOT NULL,
	version        bigint NOT NULL,
	events         bigint NOT NULL DEFAULT 0,
	locks          bigint NOT NULL DEFAULT 0
);

CREATE TABLE usher_accounts (
	id           uuid NOT NULL PRIMARY KEY,
	name         text NOT NULL,
	holder_id    uuid NOT NULL REFERENCES usher_users (id),
	status       text NOT NULL CHECK (status IN ('active', 'suspended', 'closed')),
	services     text NOT NULL,
	seat_rule    text NOT NULL CHECK (seat_rule IN ('', 'warn', 'hard')),
	seat_limit   bigint NOT NULL CHECK (seat_limit >= 0),
	seat_pending boolean NOT NULL,
	created_at   bigint NOT NULL,
	version      bigint NOT NULL,
	events       bigint NOT NULL DEFAULT 0,
	locks        bigint NOT NULL DEFAULT 0
);

CREATE INDEX usher_accounts_held ON usher_accounts (holder_id, created_at, id);

CREATE TABLE usher_teams (
	id             uuid NOT NULL PRIMARY KEY,
	account_id     uuid NOT NULL REFERENCES usher_accounts (id),
	name           text NOT NULL,
	name_key       text COLLATE "C" NOT NULL,
	channel        text CHECK (channel IN ('phone', 'chat')),
	identity       text COLLATE "C",
	live_identity  text COLLATE "C" UNIQUE,
	status         text NOT NULL CHECK (status IN ('active', 'archived')),
	settings       text NOT NULL,
	auto_close     bigint,
	capacity       bigint NOT NULL CHECK (capacity >= 0),
	created_at     bigint NOT NULL,
	version        bigint NOT NULL,
	events         bigint NOT NULL DEFAULT 0,
	locks          bigint NOT NULL DEFAULT 0,
	UNIQUE (account_id, id),
	UNIQUE (account_id, name_key),
	CHECK ((channel IS NULL) = (identity IS NULL))
);

CREATE INDEX usher_teams_of_account ON usher_teams (account_id, created_at, id);
CREATE INDEX usher_teams_closing ON usher_teams (id) WHERE auto_close IS NOT NULL;

-- The domains whose people can ask to join a team, as its settings name them.
CREATE TABLE usher_join_domains (
	domain     text COLLATE "C" NOT NULL,
	created_at bigint NOT NULL,
	team_id    uuid NOT NULL REFERENCES usher_teams (id),
	PRIMARY KEY (domain, created_at, team_id)
);

CREATE INDEX usher_join_domains_of_team ON usher_join_domains (team_id);

-- The roles that accounts have made for themselves. A membership refers to one by its id alone: that
-- it is one of the team's own account is a rule of the service, and looked after by its doctor.
CREATE TABLE usher_roles (
	id          uuid NOT NULL PRIMARY KEY,
	account_id  uuid NOT NULL REFERENCES usher_accounts (id),
	name        text NOT NULL,
	name_key    text COLLATE "C" NOT NULL,
	base        text NOT NULL CHECK (base IN ('member', 'restricted')),
	permissions text NOT NULL,
	created_at  bigint NOT NULL,
	version     bigint NOT NULL,
	UNIQUE (account_id, name_key)
);

CREATE TABLE usher_memberships (
	team_id    uuid NOT NULL REFERENCES usher_teams (id),
	user_id    uuid NOT NULL REFERENCES usher_users (id),
	role       text NOT NULL CHECK (role IN ('manager', 'member', 'restricted')),
	role_id    uuid REFERENCES usher_roles (id),
	status     text NOT NULL CHECK (status IN ('active', 'suspended', 'removed')),
	joined_at  bigint NOT NULL,
	joined_by  text NOT NULL,
	expires_at bigint,
	ended_at   bigint,
	ended_by   text NOT NULL,
	version    bigint NOT NULL,
	locks      bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (team_id, user_id)
);

CREATE INDEX usher_memberships_listed ON usher_memberships (team_id, joined_at, user_id);
CREATE INDEX usher_memberships_of_user ON usher_memberships (user_id, joined_at, team_id);
CREATE INDEX usher_memberships_in_role ON usher_memberships (role_id, team_id)
	WHERE role_id IS NOT NULL;
CREATE INDEX usher_memberships_expiring ON usher_memberships (expires_at, team_id, user_id)
	WHERE status = 'active' AND expires_at IS NOT NULL;

-- What a member has in hand is counted from the conversations. Here is what cannot be: whose turn it
-- was. Whoever is given a conversation where that is bounded, or in turn, is locked here first.
CREATE TABLE usher_loads (
	team_id uuid NOT NULL,
	user_id uuid NOT NULL,
	turn    bigint NOT NULL CHECK (turn >= 0),
	version bigint NOT NULL,
	locks   bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (team_id, user_id),
	FOREIGN KEY (team_id, user_id) REFERENCES usher_memberships (team_id, user_id)
);

CREATE TABLE usher_contacts (
	id            uuid NOT NULL PRIMARY KEY,
	team_id       uuid NOT NULL REFERENCES usher_teams (id),
	channel       text NOT NULL CHECK (channel IN ('phone', 'chat')),
	address       text COLLATE "C" NOT NULL,
	name          text NOT NULL,
	email         text NOT NULL,
	email_display text NOT NULL,
	notes         text NOT NULL,
	created_at    bigint NOT NULL,
	version       bigint NOT NULL,
	events        bigint NOT NULL DEFAULT 0,
	locks         bigint NOT NULL DEFAULT 0,
	UNIQUE (team_id, id),
	UNIQUE (team_id, channel, address)
);

-- Why contacts are here.
CREATE TABLE usher_applications (
	id          uuid NOT NULL PRIMARY KEY,
	account_id  uuid NOT NULL,
	team_id     uuid NOT NULL,
	contact_id  uuid NOT NULL,
	source      text NOT NULL,
	medium      text NOT NULL,
	campaign    text NOT NULL,
	job         text NOT NULL,
	location    text NOT NULL,
	keyword     text NOT NULL,
	origin      text NOT NULL CHECK (origin IN ('chat', 'import', 'keyword', 'integration')),
	external_id text COLLATE "C",
	status      text NOT NULL,
	created_at  bigint NOT NULL,
	version     bigint NOT NULL,
	UNIQUE (account_id, external_id),
	FOREIGN KEY (account_id, team_id) REFERENCES usher_teams (account_id, id),
	FOREIGN KEY (team_id, contact_id) REFERENCES usher_contacts (team_id, id)
);

CREATE INDEX usher_applications_listed ON usher_applications (team_id, contact_id, created_at, id);

-- claimed_until is never NULL: what nobody has claimed has the zero time there, long past, so that one
-- range finds all that is free.
CREATE TABLE usher_conversations (
	id                uuid NOT NULL PRIMARY KEY,
	account_id        uuid NOT NULL,
	team_id           uuid NOT NULL,
	contact_id        uuid NOT NULL,
	channel           text NOT NULL CHECK (channel IN ('phone', 'chat')),
	identity          text COLLATE "C" NOT NULL,
	address           text COLLATE "C" NOT NULL,
	status            text NOT NULL CHECK (status IN ('open', 'snoozed', 'closed')),
	snoozed_until     bigint,
	episode           bigint NOT NULL,
	label             text NOT NULL,
	outcome           text NOT NULL,
	assignee_id       uuid REFERENCES usher_users (id),
	claimant_id       uuid REFERENCES usher_users (id),
	claimed_until     bigint NOT NULL,
	last_seq          bigint NOT NULL,
	last_at           bigint NOT NULL,
	idle_since        bigint NOT NULL,
	needs_reply_since bigint,
	first_sent_at     bigint,
	created_at        bigint NOT NULL,
	version           bigint NOT NULL,
	events            bigint NOT NULL DEFAULT 0,
	locks             bigint NOT NULL DEFAULT 0,
	UNIQUE (channel, identity, address, account_id),
	FOREIGN KEY (account_id, team_id) REFERENCES usher_teams (account_id, id),
	FOREIGN KEY (team_id, contact_id) REFERENCES usher_contacts (team_id, id)
);

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
-- What is nobody's has an index of its own: a condition IS NULL finds a range here, and keeps no order.
CREATE INDEX usher_conversations_free ON usher_conversations (team_id, needs_reply_since, id, claimed_until)
	WHERE assignee_id IS NULL AND needs_reply_since IS NOT NULL AND status = 'open';
CREATE INDEX usher_conversations_queue ON usher_conversations (team_id, assignee_id, needs_reply_since, id, claimed_until)
	WHERE assignee_id IS NOT NULL AND needs_reply_since IS NOT NULL AND status = 'open';
CREATE INDEX usher_conversations_claimed ON usher_conversations (claimant_id, team_id, needs_reply_since, id)
	WHERE claimant_id IS NOT NULL;
CREATE INDEX usher_conversations_claims ON usher_conversations (claimed_until, id)
	WHERE claimant_id IS NOT NULL;
CREATE INDEX usher_conversations_snoozed ON usher_conversations (snoozed_until, id)
	WHERE status = 'snoozed';
CREATE INDEX usher_conversations_idle ON usher_conversations (team_id, idle_since)
	WHERE status = 'open' AND needs_reply_since IS NULL;

CREATE TABLE usher_episodes (
	conversation_id uuid NOT NULL REFERENCES usher_conversations (id),
	number          bigint NOT NULL CHECK (number > 0),
	first_seq       bigint NOT NULL,
	opened_at       bigint NOT NULL,
	opened_by       text NOT NULL,
	opened_on       text NOT NULL CHECK (opened_on IN ('start', 'inbound', 'open')),
	closed_at       bigint,
	closed_by       text NOT NULL,
	closed_on       text NOT NULL CHECK (closed_on IN ('', 'close', 'idle')),
	outcome         text NOT NULL,
	PRIMARY KEY (conversation_id, number)
);

-- Who does not want to be offered which conversation, and until when.
CREATE TABLE usher_skips (
	conversation_id uuid NOT NULL REFERENCES usher_conversations (id),
	user_id         uuid NOT NULL REFERENCES usher_users (id),
	ends_at         bigint NOT NULL,
	PRIMARY KEY (conversation_id, user_id)
);

CREATE TABLE usher_messages (
	conversation_id uuid NOT NULL REFERENCES usher_conversations (id),
	seq             bigint NOT NULL CHECK (seq > 0),
	id              uuid NOT NULL UNIQUE,
	kind            text NOT NULL CHECK (kind IN ('inbound', 'outbound', 'automatic', 'note', 'system')),
	author_id       uuid REFERENCES usher_users (id),
	body            text NOT NULL,
	footer          text NOT NULL,
	attachments     text NOT NULL,
	sent_at         bigint NOT NULL,
	edited_at       bigint,
	deleted_at      bigint,
	status          text NOT NULL CHECK (status IN ('', 'queued', 'sent', 'failed', 'delivered', 'read')),
	failure         text NOT NULL,
	handed_at       bigint,
	message_key     bytea UNIQUE,
	receipt_key     bytea UNIQUE,
	version         bigint NOT NULL,
	PRIMARY KEY (conversation_id, seq)
);

-- By which words messages are found. It is an index, made from the messages: it refers to nothing, and
-- a row whose message is not there, or not in that team, finds nothing.
CREATE TABLE usher_words (
	team_id    uuid NOT NULL,
	word       bigint NOT NULL,
	sent_at    bigint NOT NULL,
	message_id uuid NOT NULL,
	PRIMARY KEY (team_id, word, sent_at, message_id)
);

CREATE INDEX usher_words_of_message ON usher_words (message_id);

CREATE TABLE usher_grants (
	conversation_id uuid NOT NULL REFERENCES usher_conversations (id),
	user_id         uuid NOT NULL REFERENCES usher_users (id),
	inviter_id      uuid REFERENCES usher_users (id),
	from_seq        bigint NOT NULL,
	read_only       boolean NOT NULL,
	accepted_at     bigint NOT NULL,
	expires_at      bigint,
	revoked_at      bigint,
	revoked_by      text NOT NULL,
	version         bigint NOT NULL,
	PRIMARY KEY (conversation_id, user_id)
);

CREATE INDEX usher_grants_of_user ON usher_grants (user_id, conversation_id);
CREATE INDEX usher_grants_lapsing ON usher_grants (expires_at, conversation_id, user_id)
	WHERE revoked_at IS NULL AND expires_at IS NOT NULL;

-- Who must not be written to, by the identity that would write. It outlives contacts, conversations
-- and teams, so it refers to none of them.
CREATE TABLE usher_opt_outs (
	channel    text NOT NULL CHECK (channel IN ('phone', 'chat')),
	identity   text COLLATE "C" NOT NULL,
	address    text COLLATE "C" NOT NULL,
	account_id uuid NOT NULL,
	cause      text NOT NULL CHECK (cause IN ('contact', 'user')),
	caused_by  text NOT NULL,
	caused_at  bigint NOT NULL,
	reason     text NOT NULL,
	message_id uuid,
	lifted_at  bigint,
	lifted_by  text NOT NULL,
	version    bigint NOT NULL,
	locks      bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (channel, identity, address)
);

-- How far each user has read each conversation. A message writes nothing here.
CREATE TABLE usher_read_marks (
	conversation_id uuid NOT NULL REFERENCES usher_conversations (id),
	user_id         uuid NOT NULL REFERENCES usher_users (id),
	seq             bigint NOT NULL CHECK (seq >= 0),
	marked_at       bigint NOT NULL,
	version         bigint NOT NULL,
	locks           bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (conversation_id, user_id)
);

-- An invitation is one of a team, or offers an account: then it has no team and no role, and
-- "offered_id" is the account. The account of all others is not referred to by itself, since that
-- would lock it after their team. Of a request to join, "asker_id" is who made it.
CREATE TABLE usher_invitations (
	id              uuid NOT NULL PRIMARY KEY,
	account_id      uuid NOT NULL,
	team_id         uuid,
	kind            text NOT NULL CHECK (kind IN ('team', 'conversation', 'account', 'link', 'request')),
	conversation_id uuid REFERENCES usher_conversations (id),
	email           text COLLATE "C" NOT NULL,
	email_display   text NOT NULL,
	role            text CHECK (role IN ('manager', 'member', 'restricted')),
	role_id         uuid,
	inviter_id      uuid NOT NULL REFERENCES usher_users (id),
	state           text NOT NULL CHECK (state IN ('pending', 'accepted', 'declined', 'revoked', 'expired')),
	mailing         bigint NOT NULL,
	token_hash      bytea UNIQUE,
	pending_scope   uuid,
	offered_id      uuid REFERENCES usher_accounts (id),
	pending_offer   uuid UNIQUE,
	asker_id        uuid REFERENCES usher_users (id),
	pending_asker   uuid,
	domain          text NOT NULL,
	uses            bigint NOT NULL,
	max_uses        bigint NOT NULL,
	batch_id        uuid,
	created_at      bigint NOT NULL,
	expires_at      bigint NOT NULL,
	mailed_at       bigint,
	ended_at        bigint,
	ended_by        text NOT NULL,
	accepted_by     uuid REFERENCES usher_users (id),
	terms           text NOT NULL,
	history         text NOT NULL CHECK (history IN ('', 'invitation', 'now')),
	lasts           bigint NOT NULL,
	resends         bigint NOT NULL,
	resends_from    bigint,
	version         bigint NOT NULL,
	locks           bigint NOT NULL DEFAULT 0,
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
);

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
	invitation_id uuid NOT NULL,
	user_id       uuid NOT NULL REFERENCES usher_users (id),
	team_id       uuid NOT NULL,
	used_at       bigint NOT NULL,
	PRIMARY KEY (invitation_id, user_id),
	FOREIGN KEY (team_id, invitation_id) REFERENCES usher_invitations (team_id, id)
);

CREATE INDEX usher_invitation_uses_listed ON usher_invitation_uses (invitation_id, used_at, user_id);

CREATE TABLE usher_deliveries (
	id                   uuid NOT NULL PRIMARY KEY,
	conversation_id      uuid NOT NULL REFERENCES usher_conversations (id),
	account_id           uuid NOT NULL,
	from_team_id         uuid NOT NULL,
	by_id                uuid NOT NULL REFERENCES usher_users (id),
	user_id              uuid REFERENCES usher_users (id),
	email                text NOT NULL,
	email_display        text NOT NULL,
	to_team_id           uuid,
	outcome              text NOT NULL,
	category             text NOT NULL CHECK (category IN ('positive', 'neutral', 'negative')),
	rating               bigint NOT NULL CHECK (rating BETWEEN 0 AND 5),
	summary              text NOT NULL,
	application_id       uuid REFERENCES usher_applications (id),
	source               text NOT NULL,
	medium               text NOT NULL,
	campaign             text NOT NULL,
	job                  text NOT NULL,
	location             text NOT NULL,
	keyword              text NOT NULL,
	keep_open            boolean NOT NULL,
	keep_reading         boolean NOT NULL,
	state                text NOT NULL CHECK (state IN ('pending', 'completed', 'declined', 'expired', 'cancelled', 'failed')),
	pending_conversation uuid UNIQUE,
	invitation_id        uuid REFERENCES usher_invitations (id),
	deadline             bigint,
	reason               text NOT NULL,
	created_at           bigint NOT NULL,
	ended_at             bigint,
	version              bigint NOT NULL,
	FOREIGN KEY (account_id, from_team_id) REFERENCES usher_teams (account_id, id),
	FOREIGN KEY (account_id, to_team_id) REFERENCES usher_teams (account_id, id)
);

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
	principal     text COLLATE "C" NOT NULL CHECK (principal <> ''),
	operation_key text COLLATE "C" NOT NULL CHECK (operation_key <> ''),
	request       bytea NOT NULL,
	result        text NOT NULL,
	ran_at        bigint NOT NULL,
	PRIMARY KEY (principal, operation_key)
);

CREATE INDEX usher_operations_by_age ON usher_operations (ran_at);

-- The log. Nothing refers to accounts and teams by foreign keys here, since that would lock them
-- with every event, and the counter of the stream's row has proven already that the stream exists.
-- "batch" puts a team's events in an order for those who follow it. One that is in no batch yet is in
-- the last that there can be, and so comes after all others.
CREATE TABLE usher_events (
	id          uuid NOT NULL PRIMARY KEY,
	stream_kind text NOT NULL CHECK (stream_kind IN ('account', 'user', 'team', 'contact', 'conversation')),
	stream_id   uuid NOT NULL,
	seq         bigint NOT NULL CHECK (seq > 0),
	account_id  uuid,
	team_id     uuid,
	kind        text NOT NULL,
	version     bigint NOT NULL,
	principal   text NOT NULL,
	occurred_at bigint NOT NULL,
	payload     text NOT NULL,
	batch       bigint NOT NULL DEFAULT 9223372036854775807,
	UNIQUE (stream_kind, stream_id, seq)
);

CREATE INDEX usher_events_of_team ON usher_events (team_id, occurred_at, id);
CREATE INDEX usher_events_in_order ON usher_events (team_id, batch, stream_id, seq);

-- How many batches there are of a team's events. Who makes one is locked here first, and no writer is. It
-- refers to no team, since that would lock the team.
CREATE TABLE usher_feeds (
	team_id uuid NOT NULL PRIMARY KEY,
	batches bigint NOT NULL
);

-- What the lanes have not delivered: an event has a row for each lane that it takes, until it is
-- delivered there. due_at is when it may next be handed to the sink: 0 at first, the end of the
-- lease while a relay holds it, the time of the retry after a failure, and NULL for a dead letter,
-- which has the time of its burial instead.
CREATE TABLE usher_outbox (
	lane        text COLLATE "C" NOT NULL CHECK (lane <> ''),
	event_id    uuid NOT NULL REFERENCES usher_events (id),
	stream_kind text NOT NULL,
	stream_id   uuid NOT NULL,
	seq         bigint NOT NULL,
	due_at      bigint,
	attempts    bigint NOT NULL DEFAULT 0,
	leased      bigint NOT NULL DEFAULT 0 CHECK (leased IN (0, 1)),
	buried_at   bigint,
	PRIMARY KEY (event_id, lane),
	CHECK ((due_at IS NULL) <> (buried_at IS NULL))
);

CREATE INDEX usher_outbox_due ON usher_outbox (lane, due_at, event_id) WHERE due_at IS NOT NULL;
CREATE INDEX usher_outbox_waiting ON usher_outbox (stream_id, stream_kind, lane, seq)
	WHERE due_at IS NOT NULL;
CREATE INDEX usher_outbox_buried ON usher_outbox (lane, buried_at, event_id) WHERE buried_at IS NOT NULL;

-- Which events the consumers have seen whose effects are in this database. The events may be
-- another database's, so nothing refers to them.
CREATE TABLE usher_inbox (
	consumer text COLLATE "C" NOT NULL CHECK (consumer <> ''),
	event_id uuid NOT NULL,
	seen_at  bigint NOT NULL,
	PRIMARY KEY (consumer, event_id)
);

CREATE INDEX usher_inbox_by_age ON usher_inbox (consumer, seen_at);

INSERT INTO usher_schema (version, name) VALUES (1, 'init');
