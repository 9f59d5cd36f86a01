package vcenter

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// server listens for a vCenter, and can be lost and come back at the same address.
type server struct {
	tls     *tls.Config
	handler http.Handler

	mu      sync.Mutex
	address string // the port is filled in by the first listen
	running *http.Server
	stop    context.CancelFunc // ends requests in flight
	timer   *time.Timer
}

// Listen starts to answer; doing it twice is harmless.
func (s *server) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listen()
}

func (s *server) listen() error {
	if s.running != nil {
		return nil
	}
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	s.address = l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	// HTTP/1.1 only: so does the stock simulator's server, and pyVmomi and govmomi are proved with it.
	srv := &http.Server{
		Handler: s.handler, TLSConfig: s.tls, ReadHeaderTimeout: time.Minute, BaseContext: func(net.Listener) context.Context { return ctx },
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, ErrorLog: log.New(io.Discard, "", 0),
	}
	s.running, s.stop = srv, stop
	go func() { _ = srv.ServeTLS(l, "", "") }()
	return nil
}

// Address is where the server listens.
func (s *server) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// Outage closes the listener and resets every connection. It ends after d, or with Restore if d is 0.
func (s *server) Outage(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down()
	if d > 0 {
		s.timer = time.AfterFunc(d, func() { _ = s.Listen() })
	}
}

// Restore ends an outage.
func (s *server) Restore() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	return s.listen()
}

// Up tells whether the server answers.
func (s *server) Up() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running != nil
}

func (s *server) down() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if s.running != nil {
		s.stop()
		_ = s.running.Close()
		s.running = nil
	}
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down()
}
