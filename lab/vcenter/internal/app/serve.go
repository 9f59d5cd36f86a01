// Package app wires the laboratory together; nothing else knows all rooms.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"goldsmith/lab/internal/admin"
	"goldsmith/lab/internal/config"
	"goldsmith/lab/internal/guest"
	"goldsmith/lab/internal/guest/docker"
	"goldsmith/lab/internal/journal"
	"goldsmith/lab/internal/mirror"
	"goldsmith/lab/internal/share"
	"goldsmith/lab/internal/tlsca"
	"goldsmith/lab/internal/vcenter"
)

// farewell is how long the clean-up at the end may take: compose kills after its own grace time.
const farewell = 60 * time.Second

// Lab is everything that one labd serves.
type Lab struct {
	cfg      config.Config
	engine   guest.Engine
	vcenters map[string]*vcenter.VCenter
	servers  []*http.Server
}

// Serve runs the laboratory until ctx ends, then removes what it made. It prints "ready" when everything listens.
func Serve(ctx context.Context, out io.Writer) error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	engine, err := docker.New(ctx, docker.Options{
		Image: cfg.GuestImage, Network: cfg.Network, Datastores: cfg.Lab + "-datastores", Root: cfg.Datastores, Share: cfg.Lab + "-share",
	})
	if err != nil {
		return err
	}
	return Run(ctx, cfg, engine, out)
}

// Run is Serve with a configuration and an engine of the caller's choice.
func Run(ctx context.Context, cfg config.Config, engine guest.Engine, out io.Writer) error {
	l := &Lab{cfg: cfg, engine: engine, vcenters: map[string]*vcenter.VCenter{}}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer l.close()
	if err := l.open(ctx); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, "ready"); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (l *Lab) open(ctx context.Context) error {
	for _, dir := range []string{l.cfg.State, os.TempDir()} { // an image FROM scratch has no /tmp, but the simulator wants one
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	token, err := secret(l.cfg.Token)
	if err != nil {
		return err
	}
	if err := share.Copy(l.cfg.ShareFrom, l.cfg.Share); err != nil {
		return err
	}
	if err := l.openMirror(); err != nil {
		return err
	}
	if err := l.openVCenters(ctx); err != nil {
		return err
	}
	api := &admin.API{Token: token, VCenters: l.vcenters, Ready: l.ready}
	return l.serve(l.cfg.Admin, api.Handler())
}

// openMirror serves the package repository, if the image has one.
func (l *Lab) openMirror() error {
	if l.cfg.Mirror == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(l.cfg.MirrorRoot, "dists")); err != nil {
		log.Printf("no package repository in %s", l.cfg.MirrorRoot)
		return nil
	}
	m, err := mirror.New(os.DirFS(l.cfg.MirrorRoot))
	if err != nil {
		return err
	}
	for _, dir := range []string{l.cfg.Share, l.cfg.State} {
		if err := m.Export(dir); err != nil {
			return err
		}
	}
	return l.serve(l.cfg.Mirror, m)
}

func (l *Lab) openVCenters(ctx context.Context) error {
	names := append([]string{"127.0.0.1", "::1", "localhost", l.cfg.Lab + "-vcenter", l.cfg.Lab + "-pause"}, l.cfg.Names...)
	settings, err := tlsca.Load(l.cfg.State, names)
	if err != nil {
		return err
	}
	for _, c := range l.cfg.VCenters {
		password, err := secret(c.PasswordFile)
		if err != nil {
			return err
		}
		v, err := vcenter.New(c, vcenter.Options{
			Lab: l.cfg.Lab, Datastores: l.cfg.Datastores, Password: password, Engine: l.engine, TLS: settings, Print: printed,
		})
		if err != nil {
			return err
		}
		if err := v.Machines.Sweep(ctx); err != nil { // leftovers of a killed run
			return err
		}
		if err := v.Listen(); err != nil {
			return err
		}
		go v.Run(ctx)
		l.vcenters[c.Name] = v
	}
	return nil
}

func printed(e journal.Event) { log.Printf("%s %s %s %v", e.VC, e.Kind, e.Object, e.Detail) }

func (l *Lab) serve(address string, h http.Handler) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	l.servers = append(l.servers, s)
	go func() {
		if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Printf("%s: %v", address, err)
		}
	}()
	return nil
}

// ready is what /healthz asks; a vCenter that is down on order is no fault of the laboratory.
func (l *Lab) ready() error {
	if len(l.vcenters) != len(l.cfg.VCenters) {
		return errors.New("not all vCenters are there yet")
	}
	return nil
}

func (l *Lab) close() {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	for _, v := range l.vcenters {
		if err := v.Close(ctx); err != nil {
			log.Printf("%s: %v", v.Config.Name, err)
		}
	}
	for _, s := range l.servers {
		_ = s.Close()
	}
}

// secret reads a file, or makes it with a random value.
func secret(file string) (string, error) {
	raw, err := os.ReadFile(file)
	if err == nil {
		if s := strings.TrimSpace(string(raw)); s != "" {
			return s, nil
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	s := rand.Text()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	return s, os.WriteFile(file, []byte(s+"\n"), 0o600)
}
