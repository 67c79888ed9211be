// Stylesheets are handled by the bundler, which writes dist/webview.css.
declare module '*.css';
