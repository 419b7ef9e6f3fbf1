import './base.css';
import './panel.css';
import './jobs.css';
import './card.css';
import './answers.css';
