import { type CSSVariablesResolver, createTheme, Drawer, Loader, Menu, Modal } from "@mantine/core";

/** The header of a dialog is none of the page, and its cross has a name. */
const dialog = { attributes: { header: { role: "presentation" } }, closeButtonProps: { "aria-label": "Close" } };

/** Mantine's own, with one accent; shades that have a contrast of 4.5 with white text, and on white. */
export const theme = createTheme({
	primaryColor: "cyan",
	primaryShade: { light: 9, dark: 9 },
	autoContrast: true,
	defaultRadius: "md",
	cursorType: "pointer",
	fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace",
	headings: { fontWeight: "600" },
	components: {
		Loader: Loader.extend({ defaultProps: { role: "status" } }),
		Modal: Modal.extend({ defaultProps: dialog }),
		Drawer: Drawer.extend({ defaultProps: dialog }),
		// What it puts first into a menu to have the focus is no item, which menus alone may have.
		Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
	},
});

/** Mantine's quiet text is paler than a contrast of 4.5 allows. */
export const cssVariables: CSSVariablesResolver = ({ colors: { gray, dark } }) => ({
	// A shade darker under the pointer; Mantine's own is a shade brighter.
	variables: { "--mantine-primary-color-filled-hover": "#085563", "--mantine-color-cyan-filled-hover": "#085563" },
	light: {
		"--mantine-color-dimmed": gray[7],
		"--mantine-color-placeholder": gray[7],
		"--mantine-color-error": "var(--mantine-color-red-9)",
	},
	dark: {
		"--mantine-color-dimmed": dark[1],
		"--mantine-color-placeholder": dark[1],
		"--mantine-color-error": "var(--mantine-color-red-4)",
	},
});
