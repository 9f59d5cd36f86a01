// Package control holds what a test can order: faults, barriers and missing privileges.
package control

import (
	"errors"
	"fmt"
	"path"
)

// Call is one call as the orders see it.
type Call struct {
	Method   string
	Subjects []string // names of what it acts on: entity name, moref, new name, datastore paths
	User     string
	Agent    string
}

// Object returns the name that stands in logs.
func (c *Call) Object() string {
	for _, s := range c.Subjects {
		if s != "" {
			return s
		}
	}
	return ""
}

// Matches tells whether glob patterns (path.Match; empty = all) fit the call.
func (c *Call) Matches(method, object string) bool {
	return glob(method, c.Method) && glob(object, c.Subjects...)
}

// CheckPatterns refuses patterns that fit no call: an order that never comes true would make a test pass.
func CheckPatterns(method, object string) error {
	if method == "" {
		return errors.New("method is missing")
	}
	if _, err := path.Match(method, ""); err != nil {
		return fmt.Errorf("method: %w", err)
	}
	if _, err := path.Match(object, ""); err != nil {
		return fmt.Errorf("object: %w", err)
	}
	return nil
}

// glob matches one pattern against any of the values. A lone "*" also crosses slashes, for datastore paths.
func glob(pattern string, values ...string) bool {
	if pattern == "" || pattern == "*" {
		return true
	}
	for _, v := range values {
		if ok, _ := path.Match(pattern, v); ok {
			return true
		}
	}
	return false
}
