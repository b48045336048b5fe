package rbac

import (
	"errors"
	"fmt"
)

// ErrUnknownPermission is wrapped by the error for an (object, action) pair or a number that the policy
// does not name.
var ErrUnknownPermission = errors.New("unknown permission")

// Permission is the right to do one action to one kind of object. The zero value is no permission and
// is always denied. The numbers are not stable from version to version: store the name.
//
// The constants are usher's own. A host's permissions come from its policy rows and are numbered after
// them; [Policy.Permission] finds them.
type Permission uint16

// The built-in permissions, as object and action.
const (
	ListMembers          Permission = iota + 1 // member: list
	ReadTeam                                   // team: read
	ReadDashboard                              // dashboard: read
	ReadReport                                 // report: read
	InviteMember                               // member: invite
	RemoveMember                               // member: remove
	ChangeRole                                 // member: change role
	SuspendMember                              // member: suspend
	ReactivateMember                           // member: reactivate
	ConfigureTeam                              // team: change settings
	ArchiveTeam                                // team: archive
	ReadAudit                                  // audit: read
	ListConversations                          // conversation: list all
	ReadConversations                          // conversation: read all
	StartConversation                          // conversation: start
	AssignConversation                         // conversation: assign
	ClaimConversation                          // conversation: claim
	DeliverConversation                        // conversation: deliver
	CloseConversation                          // conversation: close
	OpenConversation                           // conversation: open
	SnoozeConversation                         // conversation: snooze
	ReadConversation                           // conversation: read
	MarkConversationRead                       // conversation: mark read
	SendMessage                                // message: send
	WriteNote                                  // message: write note
	ReadNote                                   // message: read note
	DeleteMessage                              // message: delete
	InviteGuest                                // guest: invite
	RevokeGuest                                // guest: revoke
	ReadContact                                // contact: read
	CreateContact                              // contact: create
	EditContact                                // contact: edit
	MergeContacts                              // contact: merge
	OptOutContact                              // contact: opt out
	OptInContact                               // contact: opt in
	CreateApplication                          // application: create
	EditApplication                            // application: edit
	SetApplicationStatus                       // application: set status
	ImportData                                 // data: import
	ExportData                                 // data: export
	ManageLists                                // list: manage
	CreateBlast                                // blast: create
	SendBlast                                  // blast: send
	CancelBlast                                // blast: cancel
	ManageContent                              // content: manage
	ReadAccount                                // account: read
	RenameAccount                              // account: rename
	AddService                                 // account: add service
	RemoveService                              // account: remove service
	CreateTeam                                 // account: create team
	ManageRoles                                // account: manage roles
	TransferAccount                            // account: transfer
	CloseAccount                               // account: close
)

// name is a permission as the policy writes it. As a key it is two strings, never one joined string, so
// that no two permissions can share a key.
type name struct{ object, action string }

func (n name) String() string { return n.object + ": " + n.action }

// builtin names the constants. Index 0 is no permission.
var builtin = [...]name{
	ListMembers:          {"member", "list"},
	ReadTeam:             {"team", "read"},
	ReadDashboard:        {"dashboard", "read"},
	ReadReport:           {"report", "read"},
	InviteMember:         {"member", "invite"},
	RemoveMember:         {"member", "remove"},
	ChangeRole:           {"member", "change role"},
	SuspendMember:        {"member", "suspend"},
	ReactivateMember:     {"member", "reactivate"},
	ConfigureTeam:        {"team", "change settings"},
	ArchiveTeam:          {"team", "archive"},
	ReadAudit:            {"audit", "read"},
	ListConversations:    {"conversation", "list all"},
	ReadConversations:    {"conversation", "read all"},
	StartConversation:    {"conversation", "start"},
	AssignConversation:   {"conversation", "assign"},
	ClaimConversation:    {"conversation", "claim"},
	DeliverConversation:  {"conversation", "deliver"},
	CloseConversation:    {"conversation", "close"},
	OpenConversation:     {"conversation", "open"},
	SnoozeConversation:   {"conversation", "snooze"},
	ReadConversation:     {"conversation", "read"},
	MarkConversationRead: {"conversation", "mark read"},
	SendMessage:          {"message", "send"},
	WriteNote:            {"message", "write note"},
	ReadNote:             {"message", "read note"},
	DeleteMessage:        {"message", "delete"},
	InviteGuest:          {"guest", "invite"},
	RevokeGuest:          {"guest", "revoke"},
	ReadContact:          {"contact", "read"},
	CreateContact:        {"contact", "create"},
	EditContact:          {"contact", "edit"},
	MergeContacts:        {"contact", "merge"},
	OptOutContact:        {"contact", "opt out"},
	OptInContact:         {"contact", "opt in"},
	CreateApplication:    {"application", "create"},
	EditApplication:      {"application", "edit"},
	SetApplicationStatus: {"application", "set status"},
	ImportData:           {"data", "import"},
	ExportData:           {"data", "export"},
	ManageLists:          {"list", "manage"},
	CreateBlast:          {"blast", "create"},
	SendBlast:            {"blast", "send"},
	CancelBlast:          {"blast", "cancel"},
	ManageContent:        {"content", "manage"},
	ReadAccount:          {"account", "read"},
	RenameAccount:        {"account", "rename"},
	AddService:           {"account", "add service"},
	RemoveService:        {"account", "remove service"},
	CreateTeam:           {"account", "create team"},
	ManageRoles:          {"account", "manage roles"},
	TransferAccount:      {"account", "transfer"},
	CloseAccount:         {"account", "close"},
}

// Permissions returns the built-in permissions in the order of their numbers.
func Permissions() []Permission {
	all := make([]Permission, 0, len(builtin)-1)
	for p := range builtin[1:] {
		all = append(all, Permission(p+1))
	}
	return all
}

// String returns "object: action" for a built-in permission and "permission(N)" for any other value; the
// names of a host's permissions are known to its [Policy] only, see [Policy.Name].
func (p Permission) String() string {
	if p == 0 || int(p) >= len(builtin) {
		return fmt.Sprintf("permission(%d)", uint16(p))
	}
	return builtin[p].String()
}

// Reads reports whether the permission changes nothing that people see: reading, listing, exporting. A
// suspended account keeps these. It is false for a host's permissions, of which usher cannot know it.
//
// Marking a conversation read is no read: it moves the reader's cursor.
func (p Permission) Reads() bool {
	switch p {
	case ListMembers, ReadTeam, ReadDashboard, ReadReport, ReadAudit,
		ListConversations, ReadConversations, ReadConversation, ReadNote,
		ReadContact, ExportData, ReadAccount:
		return true
	default:
		return false
	}
}
