// Command labd is the laboratory's vCenter.
package main

import (
	_ "github.com/ProtonMail/go-crypto/openpgp"
	_ "github.com/ProtonMail/go-crypto/openpgp/armor"
	_ "github.com/ProtonMail/go-crypto/openpgp/clearsign"
	_ "github.com/ProtonMail/go-crypto/openpgp/packet"
	_ "github.com/containerd/errdefs"
	_ "github.com/google/uuid"
	_ "github.com/moby/moby/api/pkg/stdcopy"
	_ "github.com/moby/moby/api/types/container"
	_ "github.com/moby/moby/client"
	_ "github.com/vmware/govmomi"
	_ "github.com/vmware/govmomi/pbm/simulator"
	_ "github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator"
	_ "golang.org/x/image/font/basicfont"
)

func main() {}
