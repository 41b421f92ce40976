// Renders a Helm chart as `helm template` does, by Helm's own engine: what the program helm has besides (registries, clusters,
// plugins) takes ten times as long to build. Values come in as YAML on stdin; out comes JSON: templates by their paths, and crds.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: render-chart FOLDER NAMESPACE <VALUES"))
	}
	folder, namespace := os.Args[1], os.Args[2]
	text, err := io.ReadAll(os.Stdin)
	fail(err)
	given, err := chartutil.ReadValues(text)
	fail(err)
	chart, err := loader.Load(folder)
	fail(err)
	release := chartutil.ReleaseOptions{Name: chart.Name(), Namespace: namespace, Revision: 1, IsInstall: true}
	// Holds them to the chart's schema.
	values, err := chartutil.ToRenderValues(chart, given, release, nil)
	fail(err)
	templates, err := engine.Render(chart, values)
	fail(err)
	crds := map[string]string{}
	for _, crd := range chart.CRDObjects() {
		crds[crd.Name] = string(crd.File.Data)
	}
	fail(json.NewEncoder(os.Stdout).Encode(map[string]any{"templates": templates, "crds": crds}))
}

func fail(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
