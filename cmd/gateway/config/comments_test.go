package config

import (
	"go/ast"
	goparser "go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// comments are what the source says of types, by package.
type comments map[string]map[string]typeComment

// typeComment is what the source says of a struct.
type typeComment struct {
	about  string
	fields map[string]string
}

// of returns the comments of a type of this module.
func (c comments) of(t *testing.T, of reflect.Type) typeComment {
	t.Helper()
	if c[of.PkgPath()] == nil {
		c[of.PkgPath()] = readComments(t, filepath.Join("../../..", strings.TrimPrefix(of.PkgPath(), "sluice/")))
	}
	return c[of.PkgPath()][of.Name()]
}

func readComments(t *testing.T, dir string) map[string]typeComment {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]typeComment{}
	for _, e := range entries {
		if name := e.Name(); !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := goparser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, goparser.ParseComments|goparser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
				for _, s := range g.Specs {
					readType(types, g, s.(*ast.TypeSpec))
				}
			}
		}
	}
	return types
}

func readType(types map[string]typeComment, g *ast.GenDecl, s *ast.TypeSpec) {
	body, ok := s.Type.(*ast.StructType)
	if !ok {
		return
	}
	doc := s.Doc
	if doc == nil {
		doc = g.Doc
	}
	c := typeComment{about: strings.TrimSpace(doc.Text()), fields: map[string]string{}}
	for _, f := range body.Fields.List {
		text := strings.Join(strings.Fields(f.Doc.Text()+" "+f.Comment.Text()), " ")
		for _, name := range f.Names {
			c.fields[name.Name] = text
		}
	}
	types[s.Name.Name] = c
}
