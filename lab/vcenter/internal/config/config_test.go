package config

import (
	"strings"
	"testing"
)

// What is left out gets the laboratory's defaults.
func TestDefaults(t *testing.T) {
	c, err := Parse([]byte(`{"lab":"l","vcenters":[{"name":"lab2","listen":":1"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	v := c.VCenters[0]
	if c.Network != "l" || c.Datastores != "/vmfs/volumes" || v.Datastore != "lab2-ds" || v.PasswordFile != "/run/labd/lab2.password" || v.ISOCheck != ISOAtPowerOn {
		t.Errorf("%+v", c)
	}
}

// Every mistake is named, all of them at once.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"none":        {`{}`, []string{"at least one"}},
		"unknown key": {`{"vcenter":[]}`, []string{`unknown field "vcenter"`}},
		"more text":   {`{"vcenters":[{"name":"a","listen":":1"}]} x`, []string{"after the JSON object"}},
		"twins": {
			`{"vcenters":[{"name":"a","listen":":1"},{"name":"a","listen":":1","iso_check":"x"},{"name":"a b","listen":"1"}]}`,
			[]string{`name "a"`, `datastore "a-ds"`, `listen ":1"`, `iso_check is "x"`, `"a b" is no name`, "missing port"},
		},
	} {
		_, err := Parse([]byte(c.text))
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v lacks %q", name, err, want)
			}
		}
	}
}
