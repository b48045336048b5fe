package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	_ "modernc.org/sqlite"

	"github.com/usher-go/usher"
	"github.com/usher-go/usher/invite"
	"github.com/usher-go/usher/storage/outbox"
	"github.com/usher-go/usher/storage/sqlite"
)

// run serves until the context ends or the process is interrupted.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("http", flag.ContinueOnError)
	flags.SetOutput(out)
	addr := flags.String("addr", "localhost:8080", "where to listen; this machine only, since the links in mails are http")
	file := flags.String("db", "", "keep the database in this file (default: a temporary one)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *file == "" {
		dir, err := os.MkdirTemp("", "usher-http")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		*file = filepath.Join(dir, "usher.db")
	}
	db, err := sql.Open("sqlite", *file)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	store, err := sqlite.New(db) //nolint:contextcheck // New takes no context
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *addr)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	base := "http://" + listener.Addr().String()
	log := slog.New(slog.NewTextHandler(out, nil))
	u, err := usher.New(store, usher.WithMailer(invite.WriterMailer(out)), usher.WithInviteURL(base+"/join"),
		usher.WithRelay(outbox.WithErrors(func(err error) { log.Error("relay", "error", err) })))
	if err != nil {
		return err
	}
	s, err := newServer(u, store, newSessions(time.Now), log)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "listening on %s\nA demonstration: it believes whoever says who they are.\n", base)
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	return serve(ctx, listener, s.handler(), u.Relay)
}

// serve answers requests, and hands on the mail, until the context ends; then it lets the
// requests at hand finish.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, relay *outbox.Relay) error {
	ctx, cancel := context.WithCancel(ctx)
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
	}
	relayed, served := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(relayed)
		_ = relay.Run(ctx) // which ends with the context's own error
	}()
	go func() { served <- server.Serve(listener) }()
	defer func() {
		cancel()
		<-relayed
	}()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	patience, cancelPatience := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancelPatience()
	err := server.Shutdown(patience)
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
