// Stylesheets are the bundler's: they end up in dist/webview.css.
declare module '*.css';
