// Package docker runs guests as containers through the engine's socket.
package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"goldsmith/lab/internal/guest"
)

// stopSeconds is how long a guest may take to halt: systemd's own limit for a unit is 90 s, but sshd and cloud-init need few.
const stopSeconds = 60

// Engine is guest.Engine on a Docker engine.
type Engine struct {
	api     *client.Client
	image   string // of a machine with a blank disk
	network string
	mounts  []mount.Mount
}

// Options say what all guests of one laboratory share.
type Options struct {
	Image      string // of a machine with a blank disk
	Network    string // docker network they join
	Datastores string // volume with the datastores, read-only at DatastoreRoot
	Root       string // where the datastores are mounted
	Share      string // volume with the init and the installer, read-only at /lab
}

// New connects to the engine that the environment names (default: the local socket) and asks it for a sign of life.
func New(ctx context.Context, o Options) (*Engine, error) {
	api, err := client.New(client.FromEnv)
	if err != nil {
		return nil, fmt.Errorf("docker: %w", err)
	}
	if _, err = api.Ping(ctx, client.PingOptions{}); err != nil {
		return nil, fmt.Errorf("docker: %w", err)
	}
	volume := func(name, target string) mount.Mount {
		return mount.Mount{Type: mount.TypeVolume, Source: name, Target: target, ReadOnly: true}
	}
	e := &Engine{api: api, image: o.Image, network: o.Network}
	if o.Datastores != "" {
		e.mounts = append(e.mounts, volume(o.Datastores, o.Root))
	}
	if o.Share != "" {
		e.mounts = append(e.mounts, volume(o.Share, "/lab"))
	}
	return e, nil
}

// Create implements guest.Engine.
func (e *Engine) Create(ctx context.Context, s guest.Spec) (string, error) {
	image, stop := s.Image, stopSeconds
	if image == "" {
		image = e.image
	}
	env, err := e.environment(ctx, image, s.Env)
	if err != nil {
		return "", err
	}
	out, err := e.api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: s.Name,
		Config: &container.Config{
			Image: image, Hostname: s.Hostname, Env: env, Labels: s.Labels, Entrypoint: []string{"/lab/init"}, Cmd: []string{},
			StopSignal: "SIGRTMIN+3", StopTimeout: &stop, // systemd's clean power off
		},
		HostConfig: &container.HostConfig{
			Privileged: true, CgroupnsMode: container.CgroupnsModePrivate, NetworkMode: container.NetworkMode(e.network), Mounts: e.mounts,
			// Docker's default tmpfs is noexec, which breaks Packer's shell provisioner.
			Tmpfs: map[string]string{"/run": "", "/tmp": "exec"},
		},
	})
	if err != nil {
		return "", fmt.Errorf("docker create: %w", err)
	}
	return out.ID, nil
}

// environment returns the wanted variables and unsets all others of the laboratory: a committed image carries those of its source.
func (e *Engine) environment(ctx context.Context, image string, want map[string]string) ([]string, error) {
	info, err := e.api.ImageInspect(ctx, image)
	if err != nil {
		return nil, fmt.Errorf("docker image %s: %w", image, err)
	}
	var env []string
	for k, v := range want {
		env = append(env, k+"="+v)
	}
	if info.Config != nil {
		for _, kv := range info.Config.Env {
			k, _, _ := strings.Cut(kv, "=")
			if _, ok := want[k]; !ok && (strings.HasPrefix(k, "LAB_") || strings.HasPrefix(k, "VMX_")) {
				env = append(env, k) // without "=": the variable is removed
			}
		}
	}
	slices.Sort(env)
	return env, nil
}

// Start implements guest.Engine.
func (e *Engine) Start(ctx context.Context, id string) error {
	_, err := e.api.ContainerStart(ctx, id, client.ContainerStartOptions{})
	return wrap("start", err)
}

// Kill implements guest.Engine.
func (e *Engine) Kill(ctx context.Context, id string) error {
	_, err := e.api.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "SIGKILL"})
	if errdefs.IsConflict(err) { // it is not running
		return nil
	}
	return wrap("kill", err)
}

// Shutdown implements guest.Engine.
func (e *Engine) Shutdown(ctx context.Context, id string) error {
	_, err := e.api.ContainerStop(ctx, id, client.ContainerStopOptions{})
	return wrap("stop", err)
}

// Commit implements guest.Engine.
func (e *Engine) Commit(ctx context.Context, id, image string, labels map[string]string) error {
	var changes []string
	for k, v := range labels {
		changes = append(changes, fmt.Sprintf("LABEL %s=%q", k, v))
	}
	slices.Sort(changes)
	_, err := e.api.ContainerCommit(ctx, id, client.ContainerCommitOptions{Reference: image, Changes: changes})
	return wrap("commit", err)
}

// Inspect implements guest.Engine.
func (e *Engine) Inspect(ctx context.Context, id string) (guest.State, error) {
	info, err := e.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return guest.State{}, wrap("inspect", err)
	}
	c := info.Container
	s := guest.State{Running: c.State.Running, ExitCode: c.State.ExitCode, Started: c.State.StartedAt}
	if c.NetworkSettings != nil {
		for _, n := range c.NetworkSettings.Networks {
			if n != nil && n.IPAddress.IsValid() {
				s.Address, s.Gateway = netip.PrefixFrom(n.IPAddress, n.IPPrefixLen), n.Gateway
			}
		}
	}
	return s, nil
}

// Remove implements guest.Engine.
func (e *Engine) Remove(ctx context.Context, id string) error {
	_, err := e.api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	return gone(wrap("rm", err))
}

// RemoveImage implements guest.Engine.
func (e *Engine) RemoveImage(ctx context.Context, image string) error {
	_, err := e.api.ImageRemove(ctx, image, client.ImageRemoveOptions{PruneChildren: true})
	return gone(wrap("rmi", err))
}

// Console implements guest.Engine.
func (e *Engine) Console(ctx context.Context, id string, since time.Time) (io.ReadCloser, error) {
	out, err := e.api.ContainerLogs(ctx, id, client.ContainerLogsOptions{
		ShowStdout: true, ShowStderr: true, Follow: true, Since: fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond()),
	})
	if err != nil {
		return nil, wrap("logs", err)
	}
	r, w := io.Pipe()
	go func() { // without a terminal the engine multiplexes both streams
		_, err := stdcopy.StdCopy(w, w, out)
		_ = out.Close()
		_ = w.CloseWithError(err)
	}()
	return r, nil
}

// Exits implements guest.Engine.
func (e *Engine) Exits(ctx context.Context, labels map[string]string) (<-chan guest.Exit, error) {
	f := filters(labels).Add("type", "container").Add("event", "die")
	stream := e.api.Events(ctx, client.EventsListOptions{Filters: f})
	out := make(chan guest.Exit)
	go func() {
		defer close(out)
		for {
			select {
			case m := <-stream.Messages:
				code, _ := strconv.Atoi(m.Actor.Attributes["exitCode"])
				select {
				case out <- guest.Exit{ID: m.Actor.ID, Code: code}:
				case <-ctx.Done():
					return
				}
			case <-stream.Err:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// Sweep implements guest.Engine.
func (e *Engine) Sweep(ctx context.Context, labels map[string]string) error {
	var all []error
	list, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters(labels)})
	if err != nil {
		return wrap("ps", err)
	}
	for _, c := range list.Items {
		all = append(all, e.Remove(ctx, c.ID))
	}
	images, err := e.api.ImageList(ctx, client.ImageListOptions{Filters: filters(labels)})
	if err != nil {
		return wrap("images", err)
	}
	for _, i := range images.Items {
		_, err := e.api.ImageRemove(ctx, i.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true})
		all = append(all, gone(wrap("rmi", err)))
	}
	return errors.Join(all...)
}
