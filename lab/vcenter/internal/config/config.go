// Package config reads what labd is told, once, into values the other rooms take.
package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// Env names the variable that holds the configuration: JSON text, or the path of a JSON file.
const Env = "LABD_CONFIG"

// When a missing ISO is noticed: ESXi looks at power-on; vCenter often refuses the reconfiguration.
const (
	ISOAtPowerOn     = "poweron"
	ISOAtReconfigure = "reconfigure"
	ISONever         = "none"
)

// Config is the whole laboratory: its name, where it listens, and its vCenters.
type Config struct {
	Lab        string    `json:"lab"`         // name; prefix of containers, volumes and images
	Admin      string    `json:"admin"`       // host:port of the admin API
	Token      string    `json:"token"`       // path of the admin token; made if the file is missing
	Mirror     string    `json:"mirror"`      // host:port of the package repository; "" = none
	MirrorRoot string    `json:"mirror_root"` // folder with dists/ and pool/
	Share      string    `json:"share"`       // where the guests' share volume is mounted here
	ShareFrom  string    `json:"share_from"`  // the image's own copy of the share
	State      string    `json:"state"`       // ca.pem, passwords, keys
	Datastores string    `json:"datastores"`  // parent of every datastore's folder
	GuestImage string    `json:"guest_image"` // image of a VM with a blank disk
	Network    string    `json:"network"`     // docker network of the guests
	Names      []string  `json:"names"`       // further DNS names or addresses in the server certificate
	VCenters   []VCenter `json:"vcenters"`
}

// VCenter is one simulated vCenter of the laboratory.
type VCenter struct {
	Name         string `json:"name"`
	Listen       string `json:"listen"`        // host:port of HTTPS
	User         string `json:"user"`          //
	PasswordFile string `json:"password_file"` // made with a random password if missing
	Datastore    string `json:"datastore"`
	ISOCheck     string `json:"iso_check"` // poweron (default), reconfigure or none
}

// Load reads the configuration that the environment names.
func Load() (Config, error) {
	text := os.Getenv(Env)
	if text == "" {
		return Config{}, fmt.Errorf("%s is not set: give JSON text or the path of a JSON file", Env)
	}
	raw := []byte(text)
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		var err error
		if raw, err = os.ReadFile(text); err != nil {
			return Config{}, fmt.Errorf("%s: %w", Env, err)
		}
	}
	return Parse(raw)
}

// Parse decodes JSON, refuses unknown keys, fills in defaults and checks the result.
func Parse(raw []byte) (Config, error) {
	var c Config
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Config{}, errors.New("configuration: text after the JSON object")
	}
	c.defaults()
	return c, c.check()
}

func (c *Config) defaults() {
	c.Lab = cmp.Or(c.Lab, "goldsmith-lab")
	c.Network = cmp.Or(c.Network, c.Lab)
	c.Admin = cmp.Or(c.Admin, "127.0.0.1:18444")
	c.State = cmp.Or(c.State, "/run/labd")
	c.Token = cmp.Or(c.Token, filepath.Join(c.State, "token"))
	c.MirrorRoot = cmp.Or(c.MirrorRoot, "/mirror")
	c.Share = cmp.Or(c.Share, "/lab")
	c.ShareFrom = cmp.Or(c.ShareFrom, "/share")
	c.Datastores = cmp.Or(c.Datastores, "/vmfs/volumes")
	for i := range c.VCenters {
		v := &c.VCenters[i]
		v.User = cmp.Or(v.User, "administrator@vsphere.local")
		v.PasswordFile = cmp.Or(v.PasswordFile, filepath.Join(c.State, v.Name+".password"))
		v.Datastore = cmp.Or(v.Datastore, v.Name+"-ds")
		v.ISOCheck = cmp.Or(v.ISOCheck, ISOAtPowerOn)
	}
}

// check reports every mistake at once.
func (c *Config) check() error {
	var all []error
	bad := func(format string, a ...any) { all = append(all, fmt.Errorf(format, a...)) }
	if len(c.VCenters) == 0 {
		bad("vcenters: at least one is needed")
	}
	seen := map[string]string{}
	once := func(what, value, by string) {
		if other, ok := seen[what+value]; ok {
			bad("vcenters: %s %q is used by %s and %s", what, value, other, by)
		}
		seen[what+value] = by
	}
	for _, v := range c.VCenters {
		if v.Name == "" || strings.ContainsAny(v.Name, "/ \t\n") {
			bad("vcenters: %q is no name", v.Name)
		}
		if _, _, err := net.SplitHostPort(v.Listen); err != nil {
			bad("vcenters: %s: listen: %v", v.Name, err)
		}
		if v.ISOCheck != ISOAtPowerOn && v.ISOCheck != ISOAtReconfigure && v.ISOCheck != ISONever {
			bad("vcenters: %s: iso_check is %q; allowed: poweron, reconfigure, none", v.Name, v.ISOCheck)
		}
		once("name", v.Name, v.Name)
		once("datastore", v.Datastore, v.Name)
		if !strings.HasSuffix(v.Listen, ":0") {
			once("listen", v.Listen, v.Name)
		}
	}
	return errors.Join(all...)
}
