package docker

import (
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"goldsmith/lab/internal/guest"
)

func filters(labels map[string]string) client.Filters {
	f := make(client.Filters)
	for k, v := range labels {
		f = f.Add("label", k+"="+v)
	}
	return f
}

func wrap(verb string, err error) error {
	switch {
	case err == nil:
		return nil
	case errdefs.IsNotFound(err):
		return fmt.Errorf("docker %s: %w", verb, guest.ErrGone)
	default:
		return fmt.Errorf("docker %s: %w", verb, err)
	}
}

func gone(err error) error {
	if errors.Is(err, guest.ErrGone) {
		return nil
	}
	return err
}
