// Package routers shows one and the same guard of package access in four routers: net/http's own,
// chi, gin and echo. Each function of it serves the same two routes:
//
//	POST /teams/{team}/blasts   for whoever may send blasts in the team
//	GET  /teams/{team}/inbox    for every active member
//
// It is a module of its own, so that the library's go.mod knows none of the frameworks. Copy
// what you need.
package routers
