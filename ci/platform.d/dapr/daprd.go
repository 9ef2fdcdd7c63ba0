// daprd with its stable components, and the e-mail binding, which Dapr counts among its others.
package main

import (
	"github.com/dapr/components-contrib/bindings/smtp"
	"github.com/dapr/dapr/cmd/daprd/app"
	bindings "github.com/dapr/dapr/pkg/components/bindings"
)

func main() {
	bindings.DefaultRegistry.RegisterOutputBinding(smtp.NewSMTP, "smtp")
	app.Run()
}
